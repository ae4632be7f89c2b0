"""Institutions, systems and hosts: what resolves, and what must be asked instead."""

import pytest
from parsing_data import sample_catalogue

from tickets.parsing.parser import parse_request

WAS = ["moe-neis-was-01", "moe-neis-was-02", "moe-neis-was-03"]


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("교육행정 was 1~3호기 재기동 부탁드립니다", WAS),
        ("교육행정 WAS1, WAS3 재기동 부탁드립니다", [WAS[0], WAS[2]]),
        ("교육행정 와스 삼호기 재시작해 주세요", [WAS[2]]),
        ("교육행정 두번째 와스 재시작해 주세요", [WAS[1]]),
        ("교육행정 was 1호기 아 아니 2호기 재시작해 주세요", [WAS[1]]),
        ("교육행정 was 1호기 빼고 전부 재시작해 주세요", WAS[1:]),
        ("교육행정 WAS 3대 재시작해 주세요", WAS),
        ("교육행정 was 재시작 바랍니다 2시에 해주세요", WAS),
        ("MOE-NEIS-WAS-O2 재시작 바랍니다", [WAS[1]]),
        ("moe-neis-was-01~03 재시작 바랍니다", WAS),
        ("moe - neis - was - 0l 재시작 바랍니다", [WAS[0]]),
        ("교육행정 디비 백업 받아주세요", []),
        ("교육행정 /logs/was/app.log 확인 부탁드립니다", []),
    ],
)
def test_hosts_are_resolved(text: str, servers: list[str]) -> None:
    parsed = parse_request(text, sample_catalogue())
    assert (parsed.system, list(parsed.servers)) == ("MOE-NEIS", servers)
    assert parsed.needs_info == ()


@pytest.mark.parametrize(
    "text",
    [
        "교육행정 was 중에 하나만 재시작해 주세요",
        "교육행정 was 2대 재시작해 주세요",
        "교육행정 was 8호기 재시작해 주세요",
        "moe-neis-was-17 재시작해 주세요",
    ],
)
def test_unclear_hosts_are_asked_for(text: str) -> None:
    parsed = parse_request(text, sample_catalogue())
    assert (parsed.system, parsed.servers, parsed.needs_info) == ("MOE-NEIS", (), ("servers",))


@pytest.mark.parametrize(
    ("text", "institution"),
    [
        ("한국전력공사 교육행정 was 재시작해 주세요", None),
        ("인사혁신처 급여시스템 was 재시작해 주세요", None),
        ("교육부 급식관리시스템 was 재시작해 주세요", "MOE"),
        ("국세청 교육행정 was 재시작해 주세요", "NTS"),
        ("was 2호기 재시작해 주세요", None),
        ("give me a restart please", None),
    ],
)
def test_an_unknown_system_is_asked_for(text: str, institution: str | None) -> None:
    parsed = parse_request(text, sample_catalogue())
    assert (parsed.institution, parsed.system, parsed.servers) == (institution, None, ())
    assert parsed.needs_info == ("system",)


def test_the_sentence_of_the_issue() -> None:
    parsed = parse_request("기재부 예산시스템 WAS 전체에 2.1.0 배포해 주세요", sample_catalogue())
    assert parsed.to_dict() == {
        "is_request": True, "category": "DEPLOY", "sub_type": "WAS_ROLLING", "institution": "MOEF",
        "system": "MOEF-BUDGET", "servers": [f"moef-budget-was-0{number}" for number in (1, 2, 3)],
        "params": {"version": "2.1.0"}, "needs_info": [], "is_dangerous": False, "is_urgent": False,
        "reasons": list(parsed.reasons),
    }  # fmt: skip


def test_an_artefact_that_came_along_fills_its_slot() -> None:
    text = "전자통관 was 배포 부탁드립니다"
    assert parse_request(text, sample_catalogue()).needs_info == ("artifact",)
    assert parse_request(text, sample_catalogue(), has_artefact=True).needs_info == ()
