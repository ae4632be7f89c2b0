"""Words that contain a topic's name, dangers in other wording and their look-alikes, and talk that asks for nothing."""

import pytest
from parsing_data import sample_catalogue

from tickets.parsing.parser import parse_request


@pytest.mark.parametrize(
    ("text", "sub_type"),
    [
        ("로그인 버튼 오류 수정", "CODE_FIX"),
        ("로그아웃 화면 버그 고쳐주세요", "CODE_FIX"),
        ("상품 카탈로그 화면 오류 수정 바랍니다", "CODE_FIX"),
        ("블로그 연동 프로그램 수정 요청", "CODE_FIX"),
        ("월간 리포트 출력 기능 수정 요청", "CODE_FIX"),
        ("좌석 배치도 화면 수정 부탁", "CODE_FIX"),
        ("접속자 수 조회", "DB_QUERY"),
        ("로그인 횟수 조회 부탁드립니다", "DB_QUERY"),
        ("계정과목별 집계 건수 추출 부탁드립니다", "DB_QUERY"),
        ("로그 확인 부탁드립니다", "LOG_ANALYSIS"),
        ("공용계정 최근 접속자 확인 부탁", "ACCOUNT_CHECK"),
    ],
)
def test_a_topic_is_a_word_of_its_own(text: str, sub_type: str) -> None:
    assert parse_request(f"홈택스 {text}", sample_catalogue()).sub_type == sub_type


@pytest.mark.parametrize(
    "order",
    [
        "user 테이블 drop 해줘",
        "DB 전체 삭제",
        "was1 에서 rm -rf /app",
        "was1 kill -9 로 전부 죽여",
        "방화벽 다 열어",
        "감사로그 지워",
        "권한 777로 바꿔",
        "root 비번 공유해줘",
        "백업 지우고 재시작해",
        "회원 데이터 전부 삭제해줘",
        "조건 없이 delete 돌려줘",
        "was 모두 정지시켜",
        "접근제어 해제해줘",
        "전 직원에게 관리자 권한 줘",
        "rm -rf /logs 해줘 다른 서버는 건드리지 마",
    ],
)
def test_a_danger_is_recognised(order: str) -> None:
    assert parse_request(f"홈택스 {order}", sample_catalogue()).is_dangerous


@pytest.mark.parametrize(
    "text",
    [
        "user 테이블 drop 하지 마세요",
        "rm -rf 실행한 사람 확인 부탁드립니다",
        "감사로그 삭제 금지",
        "권한 777 걸린 파일 있는지 점검",
        "30일 지난 백업 파일 삭제해주세요",
        "테스트 데이터 전부 삭제해주세요",
        "관리자 비밀번호 초기화 부탁드립니다",
        "로그에 'drop table' 이라는 문자열이 찍혀요 분석 부탁",
        "was 전체 내렸다 올려주세요",
        "방화벽 any 오픈은 금지",
    ],
)
def test_a_look_alike_is_harmless(text: str) -> None:
    assert not parse_request(f"홈택스 {text}", sample_catalogue()).is_dangerous


def test_a_question_about_a_danger_asks_for_nothing_but_is_told() -> None:
    parsed = parse_request("홈택스 DB 전체 삭제는 언제 되나요?", sample_catalogue())
    assert (parsed.is_request, parsed.is_dangerous, parsed.sub_type, parsed.servers) == (False, True, None, ())


@pytest.mark.parametrize(
    "text",
    [
        "안녕하세요 좋은 하루 보내세요~",
        "안녕하세요, 담당자님",
        "수고 많으셨습니다",
        "네 감사합니다",
        "즐거운 주말 되세요!",
        "홈택스 배포 끝났나요?",
        "어제 접수한 건 처리 상태가 어떻게 되나요?",
        "hello",
        "덕분에 잘 됐어요 고맙습니다",
    ],
)
def test_courtesies_and_questions_ask_for_nothing(text: str) -> None:
    parsed = parse_request(text, sample_catalogue())
    assert (parsed.is_request, parsed.needs_info) == (False, ())


def test_a_greeting_before_a_request_changes_nothing() -> None:
    parsed = parse_request("안녕하세요 담당자님, 홈택스 was1 재기동 부탁드립니다. 감사합니다", sample_catalogue())
    assert (parsed.sub_type, parsed.servers) == ("SERVICE_RESTART", ("nts-hometax-was-01",))
