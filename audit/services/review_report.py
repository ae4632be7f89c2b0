"""What people say about an access review: explanations of single entries, then the confirmation by a second person."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.scope import holds_role
from accounts.who import who_hold
from audit.choices import ReportState
from audit.exceptions import ReasonNeeded, SecondPersonNeeded
from audit.models import Explanation, Report
from audit.refusals import refusals_recorded
from audit.reports.entries import entries_of
from audit.roles import DECIDERS
from audit.selectors import visible_report
from audit.services.order_report import again, require_reporter
from audit.services.record import record
from guardia.common.clock import now
from guardia.common.errors import InvalidInput, NotPermitted, NotVisible, StaleState


@refusals_recorded
@transaction.atomic
def explain_entry(*, actor: User, report_pk: int, chain: str, number: int, text: str) -> Explanation:
    """Say what is behind one entry of an access review that isn't confirmed yet; the last word counts.

    Raises NotVisible, NotPermitted, OutsideBastion, ReasonNeeded, StaleState, InvalidInput.
    """
    report = _open_review(actor, report_pk)
    words = text.replace("\x00", "").strip()[:2000]
    if not words:
        raise ReasonNeeded(_("Write the explanation."))
    entry = entries_of(report).filter(chain__key=chain, number=number).select_related("chain").first()
    if entry is None:
        raise NotVisible(_("This review has no such entry."))
    values = {"text": words, "written_by": actor, "written_at": now()}
    explanation, _made = Explanation.objects.update_or_create(report=report, entry=entry, defaults=values)
    facts: dict[str, Any] = {"chain": chain, "number": number}
    record(
        action="review.explained",
        actor=actor,
        institution=report.institution,
        subject=report,
        summary=words,
        **facts,
    )
    return explanation


@refusals_recorded
@transaction.atomic
def sign_off_review(*, actor: User, report_pk: int, finding: str) -> Report:
    """Confirm an access review as a second person; it is made again, with the explanations and the signature.

    A security officer or administrator who didn't order it. Raises NotVisible, NotPermitted, SecondPersonNeeded,
    OutsideBastion, ReasonNeeded, StaleState, InvalidInput.
    """
    report = _open_review(actor, report_pk)
    if not may_confirm(actor, report):
        institution_id = report.institution.pk if report.institution else None
        names = {"names": who_hold(DECIDERS, institution_id, but={actor.pk, report.requested_by_id})}
        if report.requested_by_id == actor.pk:
            raise SecondPersonNeeded(_("You ordered this review; somebody else confirms it: %(names)s.") % names)
        raise NotPermitted(_("Security officers and administrators confirm reviews: %(names)s.") % names)
    if not finding.strip():
        raise ReasonNeeded(_("Write what the review found."))
    report.finding, report.signed_by, report.signed_at = finding.replace("\x00", "").strip()[:2000], actor, now()
    again(report)
    report.tries = 0
    report.save()
    facts: dict[str, Any] = {
        "file_sha256": report.digest,
        "standing_out": len(report.standing_out),
        "explained": report.explanations.count(),
    }
    record(
        action="review.signed_off",
        actor=actor,
        institution=report.institution,
        subject=report,
        summary=report.finding,
        **facts,
    )
    return report


def may_confirm(user: User, report: Report) -> bool:
    is_of_rank = user.is_superuser or holds_role(user, DECIDERS, report.institution_id)
    return user.is_active and is_of_rank and user.pk != report.requested_by_id


def _open_review(actor: User, report_pk: int) -> Report:
    """Locked, ready and not confirmed yet."""
    require_reporter(actor, visible_report(actor, report_pk).institution)
    report = (
        Report.objects.select_for_update(of=("self",)).select_related("institution", "requested_by").get(pk=report_pk)
    )
    if not report.is_review:
        raise InvalidInput(_("Only access reviews are explained and confirmed."))
    if report.state != ReportState.READY or report.signed_by_id is not None:
        raise StaleState(_("The review is not open any more. Reload its page and look again."))
    return report
