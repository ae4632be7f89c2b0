"""A worker's part in a report: claimed by one, made, and its digest sealed in the chain before anybody can have it."""

import logging
import threading
import uuid
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _

from audit.choices import UNDER_WAY, ReportFormat, ReportState
from audit.exceptions import ReportTooLong
from audit.models import Report
from audit.reports import store
from audit.reports.kinds import MAKERS, WRITERS
from audit.selectors import may_report
from audit.services.order_report import again
from audit.services.record import record
from audit.signals import report_settled
from guardia.common.clock import now
from guardia.common.errors import GuardiaError, StaleState

logger = logging.getLogger(__name__)

#: A worker that wasn't heard of for so long is dead; it says something every second.
LOST_AFTER = timedelta(seconds=60)
_BEAT_SECONDS = 1.0
_MOST_TRIES = 2
#: Files are kept so long; a review that was signed for the two years that its records are.
KEPT, KEPT_SIGNED = timedelta(days=30), timedelta(days=731)


def make_report(report_pk: int) -> None:
    """Make the report if it still waits. What can't be made is FAILED with the reason, and may be tried again."""
    holder = uuid.uuid4().hex
    waiting = Report.objects.filter(pk=report_pk, state=ReportState.QUEUED)
    fresh: dict[str, Any] = {"touched_at": now(), "tries": F("tries") + 1, "done": 0, "total": 0, "error": ""}
    if not waiting.update(state=ReportState.RUNNING, holder=holder, **fresh):
        return
    report = Report.objects.select_related("institution", "requested_by", "signed_by").get(pk=report_pk)
    with translation.override(report.language):
        try:
            _make(report)
        except GuardiaError as refusal:
            _fail(report, str(refusal))
        except Exception:
            logger.exception("report %s can't be made", report_pk)
            _fail(
                report,
                _("Something went wrong; the log of the worker tells what. Try it again, or tell the operators."),
            )


def sweep_reports() -> None:
    """Every minute: ring again for what waits, take up what died with its worker, delete what is over its time."""
    silent = Report.objects.filter(state__in=UNDER_WAY, touched_at__lt=now() - LOST_AFTER)
    for pk in list(silent.values_list("pk", flat=True)):
        _take_up(pk)
    over = Report.objects.filter(state=ReportState.READY, expires_at__lt=now())
    for pk in list(over.values_list("pk", flat=True)):
        _expire(pk)


def _make(report: Report) -> None:
    if not may_report(report.requested_by, report.institution):
        raise StaleState(_("Whoever ordered it may not have it any more. Somebody who may can order it."))
    writer = WRITERS[report.format]
    with store.draft(report) as written:
        with _Heart(report) as progress:
            document = MAKERS[report.kind](report, progress)
            if writer.most is not None and document.rows > writer.most:
                raise _too_long(report, document.rows, writer.most)
            rows = writer.write(document, written.file)
        stored = store.keep(report, written)
    if not _finish(report, stored, rows):
        store.path_of(report, stored.digest).unlink(missing_ok=True)


def _too_long(report: Report, rows: int, most: int) -> ReportTooLong:
    others = "JSON Lines" if report.format == ReportFormat.XLSX else "XLSX, JSON Lines"
    text = _(
        "%(rows)s rows are more than a %(format)s is made for (%(most)s). Order it as %(others)s, or for less time."
    )
    shown = {"rows": f"{rows:,}", "most": f"{most:,}", "format": report.get_format_display(), "others": others}
    return ReportTooLong(text % shown)


@transaction.atomic
def _finish(report: Report, stored: store.Stored, rows: int) -> bool:
    """The file counts from here on. False where another worker has taken the report over meanwhile."""
    row = Report.objects.select_for_update(of=("self",)).get(pk=report.pk)
    if (row.state, row.holder) != (ReportState.RUNNING, report.holder):
        return False
    row.state, row.holder, row.made_at = ReportState.READY, "", now()
    row.digest, row.size, row.rows, row.done = stored.digest, stored.size, rows, row.total
    row.standing_out = report.standing_out
    row.expires_at = row.made_at + (KEPT_SIGNED if row.signed_at else KEPT)
    facts: dict[str, Any] = {"kind": row.kind, "format": row.format, "only": row.subject, "rows": rows}
    row.entry = record(
        action="report.made",
        actor="guardia",
        institution=row.institution,
        subject=row,
        summary=row.reason,
        file_sha256=stored.digest,
        bytes=stored.size,
        since=row.since,
        until=row.until,
        **facts,
    )
    row.save()
    transaction.on_commit(lambda: store.delete_others(row))
    transaction.on_commit(lambda: report_settled.send(Report, report=row))
    return True


@transaction.atomic
def _fail(report: Report, why: str) -> None:
    row = Report.objects.select_for_update(of=("self",)).get(pk=report.pk)
    if (row.state, row.holder) == (ReportState.RUNNING, report.holder):
        _settle_failed(row, why)


def _settle_failed(row: Report, why: str) -> None:
    row.state, row.holder, row.error = ReportState.FAILED, "", why[:500]
    row.save()
    transaction.on_commit(lambda: report_settled.send(Report, report=row))


@transaction.atomic
def _take_up(pk: int) -> None:
    row = Report.objects.select_for_update(of=("self",)).get(pk=pk)
    if row.state not in UNDER_WAY or row.touched_at >= now() - LOST_AFTER:
        return
    if row.state == ReportState.RUNNING and row.tries >= _MOST_TRIES:
        with translation.override(row.language):
            text = _("Its worker died %(count)s times while it was made. Try it again, or order it for less time.")
            _settle_failed(row, text % {"count": row.tries})
        return
    again(row)
    row.save()


@transaction.atomic
def _expire(pk: int) -> None:
    row = Report.objects.select_for_update(of=("self",)).get(pk=pk)
    if row.state != ReportState.READY or row.expires_at is None or row.expires_at >= now():
        return
    row.state = ReportState.EXPIRED
    row.save()
    facts: dict[str, Any] = {"file_sha256": row.digest}
    record(action="report.expired", actor="guardia", institution=row.institution, subject=row, **facts)
    transaction.on_commit(lambda: store.delete_files(pk))


class _Heart:
    """Counts in this thread, tells the row every second in another: also while one long query or transaction runs."""

    def __init__(self, report: Report) -> None:
        self._mine = Report.objects.filter(pk=report.pk, holder=report.holder, state=ReportState.RUNNING)
        self._done = self._total = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"report {report.pk}", daemon=True)

    def expect(self, rows: int) -> None:
        self._total += rows

    def step(self, rows: int = 1) -> None:
        self._done += rows

    def __enter__(self) -> "_Heart":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _beat(self) -> None:
        try:
            while not self._is_over.wait(_BEAT_SECONDS):
                try:
                    self._mine.update(done=self._done, total=self._total, touched_at=now())
                except DatabaseError:
                    logger.warning("the progress of a report couldn't be written", exc_info=True)
                    connection.close()
        finally:
            connection.close()
