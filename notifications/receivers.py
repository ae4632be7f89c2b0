"""News of the floors below becomes notifications."""

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from accounts.choices import Role
from accounts.models import Institution, User, UserSession
from accounts.scope import holders_of
from accounts.signals import logged_in_elsewhere
from audit.choices import ReportState
from audit.models import IntegrityHold, Report, Witness
from audit.signals import integrity_broken, report_settled, witness_failing
from notifications.services import notify


@receiver(logged_in_elsewhere)
def _logged_in_elsewhere(session: UserSession, **_: Any) -> None:
    notify(
        recipients=[session.user],
        kind="logged_in_elsewhere",
        key=f"session:{session.pk}",
        link="/account/#sessions",
        time=timezone.localtime(session.started_at, timezone.get_default_timezone()).strftime("%Y-%m-%d %H:%M:%S"),
        address=session.source_ip or "-",
    )


@receiver(integrity_broken)
def _integrity_broken(hold: IntegrityHold, **_: Any) -> None:
    """The security people of the scope; for what stops everybody, those of all institutions."""
    institution = Institution.objects.filter(code=hold.scope.removeprefix("institution:")).first()
    notify(
        recipients=_guards(institution.pk if institution else None),
        kind="integrity_broken",
        key=f"hold:{hold.pk}",
        link=f"/admin/audit/integrityhold/{hold.pk}/change/",
        chain=hold.chain,
        number=hold.number,
    )


@receiver(witness_failing)
def _witness_failing(witness: Witness, **_: Any) -> None:
    since = timezone.localtime(witness.failing_since, timezone.get_default_timezone()).strftime("%Y-%m-%d %H:%M")
    notify(
        recipients=_guards(None),
        kind="witness_failing",
        key=f"witness:{witness.pk}:{since}",
        link="/admin/audit/checkpoint/",
        store=witness.name,
        since=since,
        problem=witness.error,
    )


@receiver(report_settled)
def _report_settled(report: Report, **_: Any) -> None:
    """Whoever ordered it; each edition and each failure once."""
    is_ready = report.state == ReportState.READY
    notify(
        recipients=[report.requested_by],
        kind="report_ready" if is_ready else "report_failed",
        key=f"report:{report.pk}:{report.digest if is_ready else report.touched_at.isoformat()}",
        link=f"/reports/{report.pk}/",
        report=f"#{report.pk}",
        **({} if is_ready else {"reason": report.error}),
    )


def _guards(institution_id: int | None) -> list[User]:
    roles = (Role.SECURITY_OFFICER, Role.AUDITOR, Role.ADMINISTRATOR)
    return [user for role in roles for user in holders_of(role, institution_id)]
