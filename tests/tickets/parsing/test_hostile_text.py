"""Text is hostile: bounded, cleaned, and never a way to burn time."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parsing_data import large_catalogue, sample_catalogue

from guardia.common.errors import InvalidInput
from tickets.parsing.normalise import MAX_CHARACTERS, normalise
from tickets.parsing.parser import parse_request

DEADLINE_SECONDS = 5.0  # generous: a quadratic rule takes minutes on these


@pytest.mark.parametrize(
    "piece",
    ["a", "가", " ", "1", "was", "was1,", "1~9", "10.", "a-", "-", "/a", "재기동", "백업후", "승인", "요청드린",
     "rm-", "개인정보", "외부", "moef-budget-was-01 ", "예산시스템", "20", "1.1", "a_", "최근", "이번", "\ufdfa", "ㅋ",
     "로그삭제", "한국", "select", "시스템", "a.b@", "chown-r", "매주 ", "* ", "일이삼",
     "예산시스템이랑", "db전체", "백업", "1.1.1 ", "was일부", "금지", "중지", "2020년 ", "감사합니다",
     "방화벽싹다", "싹다", "재시작및"],
)  # fmt: skip
def test_long_repetitions_end_in_time(piece: str) -> None:
    text = (piece * MAX_CHARACTERS)[:MAX_CHARACTERS]
    started = time.monotonic()
    parse_request(text, sample_catalogue())
    assert time.monotonic() - started < DEADLINE_SECONDS


def test_too_long_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_request("가" * (MAX_CHARACTERS + 1), sample_catalogue())
    assert refused.value.code == "request_too_long"


def test_hidden_characters_are_stripped() -> None:
    assert normalise("예\u202e산\u200b시\x00스템\u3164 ＷＡＳ①").text == "예산시스템 WAS1"
    assert parse_request("회계시스템에서 r\u200bm -\u202er\x00f / 돌려주세요", sample_catalogue()).is_dangerous


words = st.sampled_from(
    ["예산시스템", "홈택스", "기재부", "국세청", "was", "WAS 2호기", "웹서버", "전체", "1~3호기", "moef-acct-was-01",
     "10.20.10.21", "재기동", "배포", "2.1.0", "로그", "삭제", "포트", "8080", "말고", "아니", "만", "에서", "해주세요",
     ",", "\n", "이호기", "서버 전부"]
)  # fmt: skip


@given(
    st.one_of(
        st.text(max_size=400), st.lists(words, max_size=14).map(" ".join), st.lists(words, max_size=14).map("".join)
    )
)
@settings(max_examples=300, deadline=None)
def test_any_text_gives_hosts_of_its_own_system_only(text: str) -> None:
    catalogue = sample_catalogue()
    parsed = parse_request(text, catalogue)
    assert parsed == parse_request(text, catalogue)
    for hostname in parsed.servers:
        owner = catalogue.server_by_name[hostname].system
        if parsed.system:
            assert owner == parsed.system
        else:
            assert catalogue.system_by_code[owner].institution == parsed.institution
    if parsed.system:
        assert catalogue.system_by_code[parsed.system].institution == parsed.institution


long_names = [name for system in sample_catalogue().systems for name in (system.name,) if len(name) >= 5]


@given(st.data(), st.sampled_from(long_names))
@settings(max_examples=150, deadline=None)
def test_white_space_does_not_change_the_system(data: st.DataObject, name: str) -> None:
    plain = f"{name} was 2호기 재기동 부탁드립니다"
    spaced = "".join(char + data.draw(st.sampled_from(["", "", " ", "\n"])) for char in name)
    for text in (plain, plain.replace(name, spaced), plain.replace(" ", "")):
        assert parse_request(text, sample_catalogue()).system == parse_request(plain, sample_catalogue()).system


def test_ten_thousand_servers_are_looked_up_not_scanned() -> None:
    catalogue = large_catalogue()
    text = "제70기관 업무1417시스템 was 2호기 재기동 부탁드립니다. 오늘 18시 이후에 진행해 주시면 됩니다."
    assert parse_request(text, catalogue).servers == ("s1417-was-02",)
    started = time.monotonic()
    for _ in range(50):
        parse_request(text, catalogue)
    assert (time.monotonic() - started) / 50 < 0.1  # 20 ms on a quiet machine
