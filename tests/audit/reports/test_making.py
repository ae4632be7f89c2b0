"""The life of a report: claimed once, counted while it is made, sealed in the chain, taken up when its worker dies."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from openpyxl import load_workbook

from accounts.choices import Role
from accounts.exceptions import OutsideBastion
from accounts.models import Membership
from audit.choices import ReportFormat, ReportKind
from audit.exceptions import ReasonNeeded, ReportFileMissing, SecondPersonNeeded
from audit.models import Entry, Explanation, Report
from audit.reports import kinds, store
from audit.services import make_report as making
from audit.services.make_report import make_report, sweep_reports
from audit.services.order_report import retry_report
from audit.services.review_report import explain_entry, sign_off_review
from audit.services.take_report import take_report
from audit.verifying.all_chains import verify_all
from governance.models import AccessRange
from guardia.common.clock import now
from guardia.common.context import traced
from guardia.common.errors import InvalidInput, NotPermitted, NotVisible, StaleState
from notifications.models import Notification
from tests.audit.reports.month import October, content_of, lines_of, made, order
from tests.audit.words import body_of_entry
from tests.factories import make_institution, make_user
from tests.queue import run_queue, waiting
from tests.snapshot import nothing_changes
from tests.threads import race

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
VERIFICATION, REVIEW = ReportKind.VERIFICATION, ReportKind.ACCESS_REVIEW


def told(action: str) -> list[dict[str, Any]]:
    return [body_of_entry(entry) for entry in Entry.objects.filter(action=action).order_by("pk")]


def fresh(report: Report) -> Report:
    return Report.objects.get(pk=report.pk)


@pytest.mark.parametrize("format", ReportFormat)
def test_the_digest_of_each_finished_file_is_an_entry_of_the_chain(format: ReportFormat) -> None:
    october = October()
    report = made(october.auditor, REVIEW, format, institution=october.institution)
    content = content_of(report)
    (entry,) = told("report.made")
    assert entry["facts"]["file_sha256"] == report.digest == hashlib.sha256(content).hexdigest()
    assert (entry["chain"], entry["object_id"]) == ("institution:MOEF", str(report.pk))
    assert entry["facts"]["bytes"] == report.size == len(content) and report.rows == 5
    assert report.entry is not None and report.entry.number == entry["number"]
    assert (report.percent, report.holder, report.error) == (100, "", "")
    (ordered,) = told("report.ordered")
    assert ordered["summary"] == "월간 점검" and ordered["actor"] == f"user:{october.auditor.pk}:moon.auditor"
    assert ordered["facts"] == {
        "kind": "ACCESS_REVIEW", "format": format.value, "only": "", "since": "2026-10-01", "until": "2026-10-31"
    }  # fmt: skip
    assert all(one.is_intact for one in verify_all())


def test_files_are_the_houses_own() -> None:
    october = October()
    report = made(october.auditor, VERIFICATION, institution=october.institution)
    path = store.path_of(report, report.digest)
    assert settings.GUARDIA_HOME in path.parents and path.parent.stat().st_mode & 0o077 == 0
    assert path.stat().st_mode & 0o077 == 0


def test_a_report_on_all_goes_to_the_systems_chain_and_is_for_those_who_see_all() -> None:
    october, everybody = October(), make_user(Role.AUDITOR)
    report = made(everybody, VERIFICATION)
    (entry,) = told("report.made")
    assert entry["chain"] == "system" and "system" in {line["chain"] for line in lines_of(report, "chain")}
    with nothing_changes(), pytest.raises(NotVisible):
        take_report(actor=october.auditor, report_pk=report.pk, reason="x")
    with nothing_changes(), pytest.raises(NotPermitted):
        order(october.auditor, VERIFICATION)


def test_a_download_needs_a_reason_and_is_an_entry() -> None:
    october = October()
    report = made(october.auditor, VERIFICATION, institution=october.institution)
    for reason in ("", "  "):
        with nothing_changes(), pytest.raises(ReasonNeeded):
            take_report(actor=october.security, report_pk=report.pk, reason=reason)
    with traced(source_ip="10.1.0.3", channel="portal"):
        _report, file = take_report(actor=october.security, report_pk=report.pk, reason="국정감사 제출")
    with file:
        assert hashlib.sha256(file.read()).hexdigest() == report.digest
    (entry,) = told("report.downloaded")
    assert (entry["summary"], entry["source_ip"]) == ("국정감사 제출", "10.1.0.3")
    assert entry["facts"]["file_sha256"] == report.digest
    for person in (october.lead, october.pm):
        with nothing_changes(), pytest.raises(NotPermitted, match="문감사"):
            take_report(actor=person, report_pk=report.pk, reason="x")
    with nothing_changes(), pytest.raises(NotVisible):
        take_report(actor=october.stranger, report_pk=report.pk, reason="x")


@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_a_file_that_is_not_what_was_recorded_is_never_handed_out(harm: str) -> None:
    october = October()
    report = made(october.auditor, VERIFICATION, institution=october.institution)
    path = store.path_of(report, report.digest)
    path.unlink() if harm == "gone" else path.write_bytes(b"forged")
    with nothing_changes(), pytest.raises(ReportFileMissing):
        take_report(actor=october.auditor, report_pk=report.pk, reason="x")


def test_it_is_refused_from_outside_the_named_networks() -> None:
    october = October()
    report = made(october.auditor, VERIFICATION, institution=october.institution)
    AccessRange.objects.create(label="Bastion", cidr="10.0.0.0/8")
    with traced(source_ip="192.0.2.9", channel="portal"):
        for act in (
            lambda: order(october.auditor, VERIFICATION, institution=october.institution),
            lambda: take_report(actor=october.auditor, report_pk=report.pk, reason="x"),
        ):
            with pytest.raises(OutsideBastion):
                act()
    assert len(told("report.ordered")) == 1 and told("report.downloaded") == []


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"reason": " "}, ReasonNeeded),
        ({"since": date(2026, 10, 2), "until": date(2026, 10, 1)}, InvalidInput),
        ({"since": date(2025, 10, 1), "until": date(2026, 10, 2)}, InvalidInput),
    ],
)
def test_orders_that_make_no_sense_are_refused(more: dict[str, Any], error: type[Exception]) -> None:
    october = October()
    with nothing_changes(), pytest.raises(error):
        order(october.auditor, VERIFICATION, **{"institution": october.institution, **more})


def test_nobody_orders_on_an_institution_that_is_not_theirs_or_more_than_five_at_once() -> None:
    october = October()
    with nothing_changes(), pytest.raises(NotVisible):
        order(october.auditor, VERIFICATION, institution=october.other)
    with nothing_changes(), pytest.raises(NotPermitted, match="문감사"):
        order(october.lead, VERIFICATION, institution=october.institution)
    for _number in range(5):
        order(october.auditor, VERIFICATION, institution=october.institution)
    with nothing_changes(), pytest.raises(StaleState, match="5"):
        order(october.auditor, VERIFICATION, institution=october.institution)


def test_what_is_too_long_for_paper_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    october = October()
    few = kinds.WRITERS[ReportFormat.PDF]._replace(most=6)
    monkeypatch.setitem(kinds.WRITERS, ReportFormat.PDF, few)
    report = order(october.auditor, VERIFICATION, ReportFormat.PDF, institution=october.institution, language="en")
    make_report(report.pk)
    report = fresh(report)
    assert report.state == "FAILED" and "7 rows are more" in report.error and "XLSX, JSON Lines" in report.error
    assert not list(store.folder_of(report.pk).iterdir()), "no draft is left"
    monkeypatch.setitem(kinds.WRITERS, ReportFormat.PDF, few._replace(most=7))
    retry_report(actor=october.auditor, report_pk=report.pk)
    make_report(report.pk)
    assert fresh(report).state == "READY"


def test_a_defect_in_the_making_is_told_and_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    october = October()
    report = order(october.auditor, VERIFICATION, institution=october.institution, language="en")

    def broken(*_given: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setitem(kinds.MAKERS, VERIFICATION, broken)
        make_report(report.pk)
    report = fresh(report)
    assert report.state == "FAILED" and "log of the worker" in report.error and "disk" not in report.error
    retry_report(actor=october.auditor, report_pk=report.pk)
    make_report(report.pk)
    assert fresh(report).state == "READY"
    with nothing_changes(), pytest.raises(StaleState):
        retry_report(actor=october.auditor, report_pk=report.pk)


def test_whoever_lost_the_role_meanwhile_gets_nothing_made() -> None:
    october = October()
    report = order(october.auditor, VERIFICATION, institution=october.institution, language="en")
    Membership.objects.filter(user=october.auditor).delete()
    make_report(report.pk)
    assert fresh(report).state == "FAILED" and told("report.made") == []


def test_a_worker_that_died_is_noticed_and_the_report_taken_up_again_once() -> None:
    october = October()
    report = order(october.auditor, VERIFICATION, institution=october.institution, language="en")
    dead = {"state": "RUNNING", "holder": "dead", "touched_at": now() - timedelta(minutes=2)}
    Report.objects.filter(pk=report.pk).update(tries=1, **dead)
    sweep_reports()
    assert (fresh(report).state, fresh(report).holder) == ("QUEUED", "")
    make_report(report.pk)
    assert fresh(report).state == "READY" and fresh(report).tries == 2
    Report.objects.filter(pk=report.pk).update(**dead)
    sweep_reports()
    assert fresh(report).state == "FAILED" and "died 2 times" in fresh(report).error
    retry_report(actor=october.auditor, report_pk=report.pk)
    make_report(report.pk)
    assert fresh(report).state == "READY"


def test_one_that_works_is_left_alone_and_one_that_comes_back_from_the_dead_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    october = October()
    report = order(october.auditor, VERIFICATION, institution=october.institution)
    maker = kinds.MAKERS[VERIFICATION]

    def overtaken(row: Report, progress: Any) -> Any:
        """While it works, it is taken for dead, and another makes the report."""
        sweep_reports()
        assert fresh(row).state == "RUNNING"
        monkeypatch.setitem(kinds.MAKERS, VERIFICATION, maker)
        Report.objects.filter(pk=row.pk).update(touched_at=now() - timedelta(minutes=2))
        sweep_reports()
        make_report(row.pk)
        return maker(row, progress)

    monkeypatch.setitem(kinds.MAKERS, VERIFICATION, overtaken)
    make_report(report.pk)
    report = fresh(report)
    assert report.state == "READY" and len(told("report.made")) == 1
    assert hashlib.sha256(content_of(report)).hexdigest() == report.digest
    assert [path.name for path in store.folder_of(report.pk).iterdir()] == [f"{report.digest}.jsonl"]


def test_files_are_deleted_when_their_time_is_over_and_what_was_said_stays() -> None:
    october = October()
    report = made(october.auditor, VERIFICATION, institution=october.institution)
    assert report.expires_at is not None and report.made_at is not None
    assert report.expires_at - report.made_at == making.KEPT
    sweep_reports()
    assert fresh(report).state == "READY"
    Report.objects.filter(pk=report.pk).update(expires_at=now() - timedelta(seconds=1))
    sweep_reports()
    assert fresh(report).state == "EXPIRED" and fresh(report).digest == report.digest
    assert [entry["facts"] for entry in told("report.expired")] == [{"file_sha256": report.digest}]
    with nothing_changes(), pytest.raises(StaleState):
        take_report(actor=october.auditor, report_pk=report.pk, reason="x")
    retry_report(actor=october.auditor, report_pk=report.pk)
    make_report(report.pk)
    assert fresh(report).state == "READY"


def test_a_review_is_explained_and_confirmed_by_another_and_made_again_with_both() -> None:
    october = October()
    report = made(october.auditor, REVIEW, ReportFormat.XLSX, institution=october.institution)
    before = report.digest
    explain: Any = {"report_pk": report.pk, "chain": "institution:MOEF"}
    for number, text in ((7, "옛 설명"), (7, "감사원 제출용"), (2, "정기 배포")):
        explain_entry(actor=october.auditor, number=number, text=text, **explain)
    with nothing_changes():
        with pytest.raises(ReasonNeeded):
            explain_entry(actor=october.auditor, number=8, text=" ", **explain)
        for number, chain in ((999, "institution:MOEF"), (2, "institution:MOIS"), (1, "institution:MOEF")):
            with pytest.raises(NotVisible):
                explain_entry(actor=october.auditor, report_pk=report.pk, chain=chain, number=number, text="x")
        with pytest.raises(SecondPersonNeeded):
            sign_off_review(actor=october.auditor, report_pk=report.pk, finding="이상 없음")
        with pytest.raises(ReasonNeeded):
            sign_off_review(actor=october.security, report_pk=report.pk, finding=" ")
    sign_off_review(actor=october.security, report_pk=report.pk, finding="이상 없음")
    assert fresh(report).state == "QUEUED"
    make_report(report.pk)
    report = fresh(report)
    assert report.state == "READY" and report.digest != before and report.signed_by == october.security
    assert report.expires_at is not None and report.expires_at > now() + timedelta(days=700)
    assert [entry["facts"]["file_sha256"] for entry in told("report.made")] == [before, report.digest]
    (signed,) = told("review.signed_off")
    assert signed["facts"] == {"file_sha256": before, "standing_out": 3, "explained": 2}
    book = load_workbook(BytesIO(content_of(report)))
    column = [cell.value for cell in book.worksheets[1]["L"]]
    assert column[2] == "정기 배포 (문감사)" and column[4] == "감사원 제출용 (문감사)"
    cover = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
    assert ["확인자", "정보안"] in cover and ["내용", "이상 없음"] in cover
    with nothing_changes():
        for act in (
            lambda: explain_entry(actor=october.auditor, number=8, text="x", **explain),
            lambda: sign_off_review(actor=october.security, report_pk=report.pk, finding="x"),
        ):
            with pytest.raises(StaleState):
                act()
    assert Explanation.objects.count() == 2


def test_only_reviews_are_confirmed() -> None:
    october = October()
    report = made(october.auditor, VERIFICATION, institution=october.institution)
    with nothing_changes(), pytest.raises(InvalidInput):
        sign_off_review(actor=october.security, report_pk=report.pk, finding="x")


def test_the_row_itself_refuses_a_ready_report_without_digest_and_a_review_signed_by_its_author() -> None:
    october = October()
    report = order(october.auditor, REVIEW, institution=october.institution)
    for values in ({"state": "READY"}, {"signed_by": october.auditor}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Report.objects.filter(pk=report.pk).update(**values)


@pytest.mark.django_db(transaction=True)
def test_the_queue_makes_it_and_whoever_ordered_it_is_told() -> None:
    october = October()
    report = order(october.auditor, VERIFICATION, institution=october.institution)
    assert waiting() == [("audit.tasks.make_report", (report.pk,))]
    assert run_queue() == ["audit.tasks.make_report"]
    (message,) = Notification.objects.filter(recipient=october.auditor, kind="report_ready")
    assert message.link == f"/reports/{report.pk}/" and message.values == {"report": f"#{report.pk}"}
    Report.objects.filter(pk=report.pk).update(state="QUEUED", touched_at=now() - timedelta(minutes=2))
    sweep_reports()  # a bell that was lost is rung again
    assert run_queue() == ["audit.tasks.make_report"] and fresh(report).state == "READY"


@pytest.mark.django_db(transaction=True)
def test_many_workers_make_it_once_and_the_page_is_told_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    october = October()
    report = order(october.auditor, VERIFICATION, institution=october.institution)
    monkeypatch.setattr(making, "_BEAT_SECONDS", 0.02)
    maker, seen = kinds.MAKERS[VERIFICATION], list[int]()

    def watched(row: Report, progress: Any) -> Any:
        document = maker(row, progress)
        ends = time.monotonic() + 20
        while not (found := fresh(row)).percent and time.monotonic() < ends:
            time.sleep(0.02)
        seen.append(found.percent)
        return document

    monkeypatch.setitem(kinds.MAKERS, VERIFICATION, watched)
    race([lambda: make_report(report.pk)] * 4)
    assert len(told("report.made")) == 1 and fresh(report).tries == 1
    assert len(seen) == 1 and 0 < seen[0] < 100, "the rows were counted, some of them verified, none written"


_MAKER = """
import django, sys, time
django.setup()
from django.db import connections
connections["default"].settings_dict["NAME"] = sys.argv[2]
from audit.reports import kinds
from audit.choices import ReportKind
made = kinds.MAKERS[ReportKind.VERIFICATION]
def slow(report, progress):
    document = made(report, progress)
    print("working", flush=True)
    time.sleep(60)
    return document
kinds.MAKERS[ReportKind.VERIFICATION] = slow
from audit.services.make_report import make_report
make_report(int(sys.argv[1]))
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_leaves_nothing_that_counts(home: Path) -> None:
    october = October()
    report = order(october.auditor, VERIFICATION, institution=october.institution)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "guardia.settings",
        "GUARDIA_CHECKPOINT_DIR": str(home / "checkpoints"),
    }
    name = connection.settings_dict["NAME"]
    command = [sys.executable, "-c", _MAKER, str(report.pk), name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=settings.BASE_DIR, env=environment) as worker:
        assert worker.stdout is not None and worker.stdout.readline() == b"working\n"
        worker.send_signal(signal.SIGKILL)
    assert fresh(report).state == "RUNNING" and told("report.made") == []
    make_report(report.pk)  # somebody else's: not before it is known to be dead
    assert fresh(report).state == "RUNNING"
    Report.objects.filter(pk=report.pk).update(touched_at=now() - timedelta(minutes=2))
    sweep_reports()
    assert run_queue() == ["audit.tasks.make_report"] * 2
    report = fresh(report)
    assert report.state == "READY" and report.tries == 2 and len(told("report.made")) == 1
    assert [path.name for path in store.folder_of(report.pk).iterdir()] == [f"{report.digest}.jsonl"]


def test_months_without_anything_make_a_report_too() -> None:
    institution = make_institution()
    auditor = make_user(Role.AUDITOR, institution)
    for kind in ReportKind:
        for format in ReportFormat:
            report = made(
                auditor, kind, format, institution=institution, since=date(2020, 2, 1), until=date(2020, 2, 29)
            )
            assert report.rows == 0 and report.size > 0
