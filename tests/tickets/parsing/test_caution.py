"""A misread request acts on real servers: what is ruled out, partial, twofold or corrected is never guessed."""

import pytest
from parsing_data import sample_catalogue

from tickets.parsing.parser import parse_request
from tickets.parsing.result import ParsedRequest


def parse(text: str) -> ParsedRequest:
    return parse_request(text, sample_catalogue())


@pytest.mark.parametrize("work", ["재시작", "재부팅", "배포"])
@pytest.mark.parametrize(
    "ruled_out",
    [
        "절대 금지",
        " 불가",
        "하시면 안 됩니다",
        "은 자제 부탁드립니다",
        " 중단 바랍니다",
        "하지 말 것",
        "은 삼가 주세요",
        " 보류해 주세요",
        "하지 마세요",
        "하지 않도록 해주세요",
        " 필요 없습니다",
        " 및 점검 금지",
        " 엄금",
        "은 아직 하지 말아주세요",
    ],
)
def test_a_prohibition_is_no_request(work: str, ruled_out: str) -> None:
    parsed = parse(f"예산시스템 WAS {work}{ruled_out}")
    assert (parsed.is_request, parsed.sub_type, parsed.servers, parsed.needs_info) == (False, None, (), ())


def test_what_is_asked_beside_a_prohibition_stays() -> None:
    parsed = parse("건축행정 was 1호기는 재기동 금지, 2호기 재기동 부탁드립니다")
    assert (parsed.sub_type, parsed.servers) == ("SERVICE_RESTART", ("molit-build-was-02",))
    assert parse("예산시스템 was 재시작은 금지하고 로그 분석만 부탁드립니다").sub_type == "LOG_ANALYSIS"


@pytest.mark.parametrize(
    ("text", "sub_type", "dangerous"),
    [
        ("예산시스템 WAS 전체 중지해주세요", None, True),
        ("예산시스템 was1 중지해주세요", None, False),
        ("예산시스템 was2 내려만 주세요", None, False),
        ("예산시스템 was2 전원 꺼주세요", None, False),
        ("예산시스템 서버 전부 셧다운 부탁드립니다", None, True),
        ("예산시스템 was1 재시작하지 말고 중지만 해주세요", None, False),
        ("예산시스템 was1 중지 후 다시 기동해 주세요", "SERVICE_RESTART", False),
        ("예산시스템 was 전체 내렸다 올려주세요", "SERVICE_RESTART", False),
        ("예산시스템 was1 전원 껐다 켜주세요", "SERVER_REBOOT", False),
    ],
)
def test_a_stop_is_no_restart(text: str, sub_type: str | None, dangerous: bool) -> None:
    parsed = parse(text)
    assert (parsed.sub_type, parsed.is_dangerous) == (sub_type, dangerous)
    assert ("sub_type" in parsed.needs_info) is (sub_type is None)


@pytest.mark.parametrize(
    "part",
    [
        "절반만",
        "반만",
        "일부만",
        "몇 대만",
        "두세 대만",
        "홀수 번호만",
        "1호기 빼고",
        "1호기 제외하고",
        "중 아무거나 하나",
        "3대 중 2대만",
        "1~3호기 중 홀수만",
        "1,2,3호기 중 두 대만",
    ],
)
def test_an_unnamed_part_of_the_hosts_is_asked_for(part: str) -> None:
    parsed = parse(f"예산시스템 WAS {part} 재시작해 주세요")
    assert (parsed.servers, parsed.needs_info) == ((), ("servers",))


@pytest.mark.parametrize("part", ["한 대씩", "순차로", "하나씩 돌아가며", "전체", "1~3호기"])
def test_a_pace_is_no_part(part: str) -> None:
    assert len(parse(f"예산시스템 WAS {part} 재시작해 주세요").servers) == 3


@pytest.mark.parametrize(
    "text",
    [
        "예산시스템이랑 민원포털 둘다 WAS 재기동",
        "예산시스템, 홈택스 WAS 재기동해 주세요",
        "홈택스 was1 재기동하고 세금계산서 was2 재기동해 주세요",
        "moef-budget-was-01 과 pps-bid-was-01 재기동해 주세요",
        "예산시스템 pps-bid-was-01 재기동해 주세요",
        "예산시스템이랑 급식관리시스템 was 재기동해 주세요",
        "기재부랑 행안부 서버 전부 재부팅해 주세요",
    ],
)
def test_two_systems_are_asked_about(text: str) -> None:
    parsed = parse(text)
    assert (parsed.system, parsed.servers, parsed.needs_info) == (None, (), ("system",))


@pytest.mark.parametrize(
    "text",
    [
        "전자입찰시스템 담당자입니다. 계약관리시스템 was2 재기동 부탁드려요",
        "홈택스 연계 때문에 계약관리시스템 was2 재기동 부탁드려요",
        "홈택스 말고 계약관리시스템 was2 재기동 부탁드려요",
    ],
)
def test_a_system_only_mentioned_is_not_the_one(text: str) -> None:
    assert parse(text).servers == ("pps-contract-was-02",)


@pytest.mark.parametrize(
    ("versions", "wanted"),
    [
        ("2.1.0 말고 2.2.0", "2.2.0"),
        ("2.1.0 아니고 2.2.0", "2.2.0"),
        ("2.1.0 → 2.2.0", "2.2.0"),
        ("기존 2.0.9에서 2.1.0으로", "2.1.0"),
        ("2.2.0 (2.1.0 말고)", "2.2.0"),
        ("2.1.0 아 아니 2.2.0", "2.2.0"),
        ("2.2.0 대신 2.1.0", "2.1.0"),
        ("2.1.0이나 2.2.0", None),
        ("2.1.0, 2.2.0", None),
    ],
)
def test_the_wanted_version_is_taken_or_asked_for(versions: str, wanted: str | None) -> None:
    parsed = parse(f"예산시스템 WAS에 {versions} 배포해 주세요")
    assert parsed.params.get("version") == wanted
    assert parsed.needs_info == (() if wanted else ("artifact",))


def test_an_address_is_no_version() -> None:
    assert parse("10.20.10.21 에 1.3.7 배포해 주세요").params["version"] == "1.3.7"


@pytest.mark.parametrize(
    ("condition", "days", "period"),
    [
        ("2020년 이전", None, "2020년 이전"),
        ("1999년도", None, "1999년도"),
        ("2022.12.31 이전", None, "2022.12.31 이전"),
        ("2024년 1월 1일 이전", None, "2024년 1월 1일 이전"),
        ("3년 지난", 1095, None),
        ("30일 말고 90일 지난", 90, None),
    ],
)
def test_a_calendar_year_is_no_span(condition: str, days: int | None, period: str | None) -> None:
    for work in ("접수 데이터 삭제", "로그 정리"):
        params = parse(f"홈택스 {condition} {work} 부탁드립니다").params
        assert (params.get("older_than_days"), params.get("period")) == (days, period)
