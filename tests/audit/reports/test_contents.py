"""What each report says about a made-up month, row by row."""

from typing import Any

import pytest

from accounts.choices import Role
from accounts.models import Membership
from audit.choices import ReportKind
from audit.models import DataKey, Entry, IntegrityHold, Report, Verification
from audit.services.erase_key import decide_erasure, propose_erasure
from audit.services.make_checkpoint import make_checkpoint
from audit.services.make_report import make_report
from governance.services.accounts import end_role
from tests.audit.forgery import forge
from tests.audit.reports.month import OUTPUT, PLAN, October, at, content_of, lines_of, made, order
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
TASK = "OPS-20261012-001"


def table(actor: Any, kind: ReportKind, name: str, columns: str, **more: Any) -> list[tuple[Any, ...]]:
    return [tuple(line[column] for column in columns.split()) for line in lines_of(made(actor, kind, **more), name)]


def test_the_verification_report_tells_every_entry_of_the_period_by_what_was_found() -> None:
    october = October()
    make_checkpoint(reason="first")
    columns = "number task_code group result state"
    rows = table(october.auditor, ReportKind.VERIFICATION, "entry", columns, institution=october.institution)
    assert rows == [
        (2, TASK, "MOEF", "task.received", "sealed"),
        (3, TASK, "MOEF", "approval.approved", "sealed"),
        (4, TASK, "MOEF", "approval.approved", "sealed"),
        (5, TASK, "MOEF / MOEF-BUDGET", "step.ok 0", "sealed"),
        (6, TASK, "MOEF / MOEF-BUDGET", "step.failed 7", "sealed"),
        (7, "", "MOEF", "chain.exported", "sealed"),
        (8, "", "MOEF", "access.refused", "sealed"),
    ]
    hashes = dict(Entry.objects.filter(chain__key="institution:MOEF").values_list("number", "hash"))
    told = table(october.auditor, ReportKind.VERIFICATION, "entry", "number hash", institution=october.institution)
    assert dict(told) == {number: hashes[number] for number in range(2, 9)}
    # eight of October, and one for each thing that was ordered or made since: they aren't sealed yet
    (chain,) = table(
        october.auditor, ReportKind.VERIFICATION, "chain", "chain entries sealed first_bad state",
        institution=october.institution,
    )  # fmt: skip
    assert chain == ("institution:MOEF", 8 + 5, 8, None, "intact")
    assert Verification.objects.filter(is_intact=True).count() == 3


@pytest.mark.parametrize(
    ("sql", "kind", "states"),
    [
        (
            "UPDATE audit_entry SET body = replace(body, 'lee.lead', 'kim.site') WHERE id = %s",
            "altered",
            {2: "sealed", 3: "altered", 4: "doubt", 5: "doubt", 6: "doubt", 7: "doubt", 8: "doubt"},
        ),
        (
            "DELETE FROM audit_entry WHERE id = %s",
            "deleted",
            {2: "sealed", 3: "deleted", 4: "doubt", 5: "doubt", 6: "doubt", 7: "doubt", 8: "doubt"},
        ),
        (
            "UPDATE audit_entry SET recorded_at = '2020-01-01' WHERE id = %s",  # a forger hides it from the period
            "altered",
            {2: "sealed", 3: "altered", 4: "doubt", 5: "doubt", 6: "doubt", 7: "doubt", 8: "doubt"},
        ),
        (
            "UPDATE audit_entry SET body = 'no JSON at all' WHERE id = %s",
            "altered",
            {2: "sealed", 3: "altered", 4: "doubt", 5: "doubt", 6: "doubt", 7: "doubt", 8: "doubt"},
        ),
    ],
)
def test_what_is_wrong_stands_in_the_report_and_stops_executions(sql: str, kind: str, states: dict[int, str]) -> None:
    october = October()
    make_checkpoint(reason="first")
    forge(sql, Entry.objects.get(chain__key="institution:MOEF", number=3).pk)
    report = made(october.auditor, ReportKind.VERIFICATION, institution=october.institution)
    assert {line["number"]: line["state"] for line in lines_of(report, "entry")} == states
    (chain,) = lines_of(report, "chain")
    assert (chain["first_bad"], chain["state"], chain["entries"]) == (3, kind, 2)
    assert lines_of(report, "report")[0]["verdict"] == "체인 1개 중 1개가 손상됨"
    assert IntegrityHold.objects.filter(chain="institution:MOEF", kind=kind).exists()


def test_the_access_review_tells_who_when_from_where_whose_data_and_what() -> None:
    october = October()
    columns = "row recorded_at actor source_ip whose result summary stands_out"
    assert table(october.auditor, ReportKind.ACCESS_REVIEW, "access", columns, institution=october.institution) == [
        (1, "2026-09-30T15:00:00.000000Z", f"user:{october.site.pk}:kim.site", "10.1.0.7 portal", "kim.site",
         "session.logged_in", "", "night"),
        (2, "2026-10-12T00:05:00.000000Z", f"user:{october.site.pk}:kim.site", "10.1.0.7 portal", "기획재정부",
         "task.received", "예산 배포", ""),
        (3, "2026-10-12T01:00:00.000000Z", f"user:{october.lead.pk}:lee.lead", "10.1.0.8 portal", "기획재정부",
         "approval.approved", "확인함", ""),
        (4, "2026-10-21T05:00:00.000000Z", f"user:{october.auditor.pk}:moon.auditor", "10.1.0.9 portal", "기획재정부",
         "chain.exported", "국정감사 자료", "taken_out"),
        (5, "2026-10-31T14:59:00.000000Z", f"user:{october.pm.pk}:park.pm", "192.0.2.5 portal", "기획재정부",
         "access.refused", "허용되지 않은 접속지", "refused"),
    ]  # fmt: skip


def test_an_access_review_covers_the_whole_month_whatever_days_were_asked_for() -> None:
    october = October()
    day = at(15, 12).date()
    report = made(october.auditor, ReportKind.ACCESS_REVIEW, institution=october.institution, since=day, until=day)
    assert (str(report.since), str(report.until), report.rows) == ("2026-10-01", "2026-10-31", 5)
    entries = Entry.objects.in_bulk(report.standing_out)
    actions = [entries[pk].action for pk in report.standing_out]
    assert actions == ["session.logged_in", "chain.exported", "access.refused"]


ACTIVITY = {
    ReportKind.BY_USER: (
        [("kim.site", 2), ("lee.lead", 1), ("moon.auditor", 1), ("park.pm", 1)],
        "result task_id summary",
        [
            ("session.logged_in", "", ""),
            ("task.received", TASK, "예산 배포"),
            ("approval.approved", TASK, "확인함"),
            ("chain.exported", "", "국정감사 자료"),
            ("access.refused", "", "허용되지 않은 접속지"),
        ],
    ),
    ReportKind.BY_TASK: (
        [(TASK, 5)],
        "subject result server step",
        [
            (TASK, "task.received", "", ""),
            (TASK, "approval.approved", "", ""),
            (TASK, "approval.approved", "", ""),
            (TASK, "step.ok 0", "moef-was-01", "stop"),
            (TASK, "step.failed 7", "moef-was-01", "start"),
        ],
    ),
    ReportKind.BY_SYSTEM: (
        [("MOEF-BUDGET", 5)],
        "subject task_id result output_sha256",
        [
            ("MOEF-BUDGET", TASK, "task.received", ""),
            ("MOEF-BUDGET", TASK, "approval.approved", ""),
            ("MOEF-BUDGET", TASK, "approval.approved", ""),
            ("MOEF-BUDGET", TASK, "step.ok 0", OUTPUT),
            ("MOEF-BUDGET", TASK, "step.failed 7", ""),
        ],
    ),
    ReportKind.BY_APPROVER: (
        [("lee.lead", 1)],
        "task_id action summary digest source_ip",
        [(TASK, "approval.approved", "확인함", PLAN, "10.1.0.8 portal")],
    ),
}


@pytest.mark.parametrize("kind", ACTIVITY)
def test_activity_has_its_sums_and_then_its_entries(kind: ReportKind) -> None:
    october = October()
    sums, columns, rows = ACTIVITY[kind]
    report = made(october.auditor, kind, institution=october.institution)
    told = [(line["subject"].rpartition(":")[2], line["entries"]) for line in lines_of(report, "sum")]
    assert told == sums
    found = [tuple(line[column] for column in columns.split()) for line in lines_of(report, "entry")]
    assert found == rows and report.rows == len(rows)


def test_activity_of_one_alone_and_of_somebody_who_is_not_there() -> None:
    october = October()
    report = made(october.auditor, ReportKind.BY_USER, institution=october.institution, subject="lee.lead")
    assert [line["result"] for line in lines_of(report, "entry")] == ["approval.approved"]
    (total,) = lines_of(report, "sum")
    assert (total["entries"], total["failed"]) == (1, 0)
    failed = order(october.auditor, ReportKind.BY_USER, institution=october.institution, subject="nobody")
    make_report(failed.pk)
    failed = Report.objects.get(pk=failed.pk)
    assert failed.state == "FAILED" and "“nobody”의 기록이 없습니다" in failed.error


@pytest.mark.parametrize("kind", ReportKind)
def test_no_report_tells_of_another_institution(kind: ReportKind) -> None:
    october = October()
    of_all = made(make_user(Role.AUDITOR), kind)
    mine = made(october.auditor, kind, institution=october.institution)
    theirs = made(october.stranger, kind, institution=october.other)
    texts = {name: str(lines_of(report, "entry") + lines_of(report, "access") + lines_of(report, "sum"))
             for name, report in (("all", of_all), ("mine", mine), ("theirs", theirs))}  # fmt: skip
    for mark in ("cho.other", "조타인", "남의 자료", "MOIS", "10.9.9.9"):
        assert mark not in texts["mine"], mark
    for mark in ("kim.site", "lee.lead", "MOEF", "국정감사", "10.1.0."):
        assert mark not in texts["theirs"], mark
    if kind in (ReportKind.BY_USER, ReportKind.ACCESS_REVIEW, ReportKind.VERIFICATION):
        assert "kim.site" in texts["all"] and "cho.other" in texts["all"]


def test_log_ins_of_somebody_whose_role_ended_in_the_period_are_still_told() -> None:
    october = October()
    membership = Membership.objects.get(user=october.site)
    end_role(actor=make_user(Role.ADMINISTRATOR), membership_pk=membership.pk, reason="퇴직")
    report = made(october.auditor, ReportKind.ACCESS_REVIEW, institution=october.institution)
    assert lines_of(report, "access")[0]["result"] == "session.logged_in"


def test_what_entries_say_of_people_is_opened_for_those_who_may_read_it_and_told_as_erased_when_it_is() -> None:
    october, everybody = October(), make_user(Role.AUDITOR)
    october.tell(at(15, 10), "account.disabled", everybody, None, october.site, summary="퇴직 예정")
    for reader, words in ((october.auditor, ""), (everybody, "퇴직 예정")):
        report = made(reader, ReportKind.ACCESS_REVIEW, institution=october.institution)
        (line,) = [line for line in lines_of(report, "access") if line["result"] == "account.disabled"]
        assert (line["whose"], line["summary"]) == ("kim.site", words)
    key = DataKey.objects.get(chain__key="institution:MOEF", subject="task:OPS-20261012-001")
    propose_erasure(actor=october.security, key_pk=key.pk, reason="파기 요청")
    decide_erasure(actor=make_user(Role.ADMINISTRATOR), key_pk=key.pk, erase=True)
    report = made(october.auditor, ReportKind.ACCESS_REVIEW, institution=october.institution)
    told = {line["result"]: line["summary"] for line in lines_of(report, "access")}
    assert told["approval.approved"] == "[삭제됨]" and told["chain.exported"] == "국정감사 자료"
    states = {line["state"] for line in lines_of(made(everybody, ReportKind.VERIFICATION), "entry")}
    assert states <= {"intact", "sealed"}


def test_contacts_do_not_leave_the_house() -> None:
    october = October()
    october.tell(at(14, 9), "task.received", october.site, october.institution, summary="담당 010-1234-5678, a@moef.kr")
    text = content_of(made(october.security, ReportKind.BY_USER, institution=october.institution)).decode()
    assert "담당" in text and "1234-5678" not in text and "a@moef.kr" not in text
