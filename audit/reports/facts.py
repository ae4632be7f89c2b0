"""What stands on top of every report."""

from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import Report
from guardia.common.clock import now
from guardia.common.masking import mask_all


def facts_of(report: Report, rows: int) -> list[tuple[str, str, str]]:
    """(name for programs, label, value)."""
    made = timezone.localtime(now(), timezone.get_default_timezone())
    found = [
        ("report", _("Report"), f"#{report.pk}"),
        ("institution", _("Institution"), str(report.institution) if report.institution else _("All institutions")),
        ("period", _("Period"), f"{report.since} – {report.until} ({timezone.get_default_timezone_name()})"),
        ("ordered_by", _("Ordered by"), f"{report.requested_by} ({report.requested_by.get_username()})"),
        ("reason", _("Reason"), mask_all(report.reason)),
        ("made_at", _("Made"), made.strftime("%Y-%m-%d %H:%M:%S")),
        ("rows", _("Rows"), f"{rows:,}"),
    ]
    if report.subject:
        found.insert(3, ("subject", _("Of this alone"), report.subject))
    return found
