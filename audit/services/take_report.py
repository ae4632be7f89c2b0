from typing import IO, Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.choices import ReportState
from audit.exceptions import ReasonNeeded
from audit.models import Report
from audit.refusals import refusals_recorded
from audit.reports.store import open_file
from audit.selectors import visible_report
from audit.services.order_report import require_reporter
from audit.services.record import record
from guardia.common.errors import StaleState


@refusals_recorded
@transaction.atomic
def take_report(*, actor: User, report_pk: int, reason: str) -> tuple[Report, IO[bytes]]:
    """The file of a report that is ready, to be closed by the caller; who took it and why is in the chain before.

    Raises NotVisible, NotPermitted, OutsideBastion, ReasonNeeded, StaleState, ReportFileMissing.
    """
    report = visible_report(actor, report_pk)
    require_reporter(actor, report.institution)
    if not reason.strip():
        raise ReasonNeeded
    if report.state != ReportState.READY:
        raise StaleState(_("The report is not ready. Reload its page and look again."))
    file = open_file(report)
    facts: dict[str, Any] = {"file_sha256": report.digest, "format": report.format}
    try:
        record(
            action="report.downloaded",
            actor=actor,
            institution=report.institution,
            subject=report,
            summary=reason.strip(),
            **facts,
        )
    except BaseException:
        file.close()
        raise
    return report, file
