import calendar
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Institution, User
from accounts.scope import visible_to
from accounts.signals import acting_by_rank
from accounts.who import who_hold
from audit.choices import UNDER_WAY, ReportFormat, ReportKind, ReportState
from audit.exceptions import ReasonNeeded
from audit.models import Report
from audit.refusals import refusals_recorded
from audit.roles import READERS
from audit.selectors import may_report, visible_report
from audit.services.record import record
from guardia.common.clock import now
from guardia.common.errors import InvalidInput, NotPermitted, NotVisible, StaleState
from guardia.common.queue import enqueue

MOST_DAYS = 366
_AT_ONCE = 5
#: Reports that can be narrowed down to one user, task, system or approver.
NARROWED = (ReportKind.BY_USER, ReportKind.BY_TASK, ReportKind.BY_SYSTEM, ReportKind.BY_APPROVER)


@refusals_recorded
@transaction.atomic
def order_report(
    *,
    actor: User,
    kind: ReportKind,
    format: ReportFormat,
    institution: Institution | None,
    since: date,
    until: date,
    reason: str,
    subject: str = "",
    language: str = "ko",
) -> Report:
    """Have a report made by a worker: whole days of one institution, or of all (None).

    Auditors, security officers and administrators, of their institutions. An access review always covers the whole
    month of `since`. Raises NotVisible, NotPermitted, OutsideBastion, ReasonNeeded, InvalidInput, StaleState.
    """
    if institution is not None and not visible_to(Institution.objects.filter(pk=institution.pk), actor).exists():
        raise NotVisible
    require_reporter(actor, institution)
    if not reason.strip():
        raise ReasonNeeded
    if kind == ReportKind.ACCESS_REVIEW:
        since, until = month_of(since)
    if not 0 <= (until - since).days < MOST_DAYS:
        raise InvalidInput(_("The period ends on its first day or later, and is a year at most."))
    if Report.objects.filter(requested_by=actor, state__in=UNDER_WAY).count() >= _AT_ONCE:
        raise StaleState(_("%(count)s of your reports are being made. Wait until one is ready.") % {"count": _AT_ONCE})
    report = Report.objects.create(
        kind=kind,
        format=format,
        institution=institution,
        since=since,
        until=until,
        subject=_plain(subject)[:160] if kind in NARROWED else "",
        language=language,
        reason=_plain(reason)[:500],
        requested_by=actor,
    )
    _tell(report, actor, "report.ordered", report.reason)
    enqueue("audit.tasks.make_report", report.pk)
    return report


@refusals_recorded
@transaction.atomic
def retry_report(*, actor: User, report_pk: int) -> Report:
    """Have a report that failed, or whose file was deleted, made again.

    Raises NotVisible, NotPermitted, OutsideBastion, StaleState.
    """
    require_reporter(actor, visible_report(actor, report_pk).institution)
    report = Report.objects.select_for_update(of=("self",)).get(pk=report_pk)
    if report.state not in (ReportState.FAILED, ReportState.EXPIRED):
        raise StaleState
    again(report)
    report.tries = 0
    report.save()
    _tell(report, actor, "report.retried", report.reason)
    return report


def again(report: Report) -> None:
    """Put a locked report before the workers; the caller saves it."""
    report.state, report.holder, report.error = ReportState.QUEUED, "", ""
    report.touched_at, report.done, report.total = now(), 0, 0
    enqueue("audit.tasks.make_report", report.pk)


def require_reporter(actor: User, institution: Institution | None) -> None:
    """Raises NotPermitted, with who may; OutsideBastion from where no act of rank is allowed."""
    if not may_report(actor, institution):
        names = who_hold(READERS, institution.pk if institution else None, but={actor.pk})
        text = _("Auditors, security officers and administrators make and read reports: %(names)s.")
        raise NotPermitted(text % {"names": names})
    acting_by_rank.send(User, actor=actor, institution=institution)


def month_of(day: date) -> tuple[date, date]:
    """The first and the last day of its month."""
    return day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _plain(text: str) -> str:
    return text.replace("\x00", "").strip()


def _tell(report: Report, actor: User, action: str, summary: str) -> None:
    facts: dict[str, Any] = {"kind": report.kind, "format": report.format, "only": report.subject}
    facts |= {"since": report.since, "until": report.until}
    record(
        action=action,
        actor=actor,
        institution=report.institution,
        subject=report,
        summary=summary,
        **facts,
    )
