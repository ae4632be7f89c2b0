"""Standing pre-approvals: given and revoked by people, used by Guardia in a step's turn."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import User
from accounts.scope import holds_role, visible_to
from accounts.who import named, who_hold
from audit.refusals import refusals_recorded
from audit.services import record
from cmdb.choices import Tier
from cmdb.models import System
from governance.choices import StepRole, StepStatus
from governance.exceptions import ReasonMissing
from governance.models import ApprovalStep, StandingApproval
from governance.rules import may_stand
from governance.selectors import imagined_task, needs_proof, people_for, strictest_tier
from governance.services.bastion import require_bastion
from guardia.common.clock import now
from guardia.common.errors import InvalidInput, NotPermitted, NotVisible, StaleState
from tickets.choices import SubType

LONGEST = timedelta(days=180)
MOST_USES = 100
MOST_DAYS = 31
OFFICERS = (Role.ADMINISTRATOR, Role.SECURITY_OFFICER)


@refusals_recorded
@transaction.atomic
def give_standing_approval(
    *,
    actor: User,
    system_pk: int,
    sub_type: SubType,
    role: StepRole,
    valid_until: datetime,
    uses_allowed: int,
    period_days: int,
    reason: str,
) -> StandingApproval:
    """Approve a kind of work on a system beforehand. Only for who could decide such a step now.

    Raises NotVisible, OutsideBastion, NotPermitted (with who could), ReasonMissing, InvalidInput.
    """
    system = visible_to(System.objects.select_related("institution"), actor).filter(pk=system_pk).first()
    if system is None:
        raise NotVisible
    people = people_for(role, imagined_task(system))
    if not actor.is_active or actor not in people:
        raise NotPermitted(_("Only who is asked for this system may do that: %(names)s.") % {"names": named(people)})
    require_bastion(actor=actor, institution=system.institution)
    if not reason.strip():
        raise ReasonMissing
    if not now() < valid_until <= now() + LONGEST:
        raise InvalidInput(_("The end must lie within %(days)s days.") % {"days": LONGEST.days})
    if not (1 <= uses_allowed <= MOST_USES and 1 <= period_days <= MOST_DAYS):
        raise InvalidInput(
            _("At most %(uses)s times in at most %(days)s days.") % {"uses": MOST_USES, "days": MOST_DAYS}
        )
    if not system.servers.filter(is_active=True, site__tier__gt=Tier.CRITICAL).exists():
        raise InvalidInput(_("Tier 1 sites are always approved by people."))
    standing = StandingApproval.objects.create(
        giver=actor,
        role=role,
        system=system,
        sub_type=sub_type,
        reason=reason.strip(),
        uses_allowed=uses_allowed,
        period_days=period_days,
        valid_until=valid_until,
    )
    record(
        action="standing_approval.given",
        actor=actor,
        institution=system.institution,
        subject=standing,
        summary=standing.reason,
        role=role,
        system=system.code,
        sub_type=sub_type,
        valid_until=valid_until.isoformat(),
        uses_allowed=uses_allowed,
        period_days=period_days,
    )
    return standing


@refusals_recorded
@transaction.atomic
def revoke_standing_approval(*, actor: User, pk: int, reason: str = "") -> StandingApproval:
    """End a standing pre-approval at once: its giver, or an administrator or security officer of the institution.

    Raises NotVisible, NotPermitted, StaleState.
    """
    seen = visible_to(StandingApproval.objects.all(), actor).filter(pk=pk).first()
    if seen is None:
        raise NotVisible
    standing = (
        StandingApproval.objects.select_for_update(of=("self",))
        .select_related("system__institution", "giver")
        .get(pk=pk)
    )
    institution = standing.system.institution
    if not may_revoke(actor, standing):
        names = named([standing.giver]) + ", " + who_hold(OFFICERS, institution.pk, but={actor.pk})
        raise NotPermitted(_("Who gave it can end it, and the officers: %(names)s.") % {"names": names})
    require_bastion(actor=actor, institution=institution)
    if standing.revoked_at is not None:
        raise StaleState
    standing.revoked_at, standing.revoked_by = now(), actor
    standing.save(update_fields=["revoked_at", "revoked_by"])
    record(
        action="standing_approval.revoked",
        actor=actor,
        institution=standing.system.institution,
        subject=standing,
        summary=reason.strip(),
    )
    return standing


def may_revoke(actor: User, standing: StandingApproval) -> bool:
    """Its giver, and the officers of the institution."""
    is_giver = actor.is_active and actor.pk == standing.giver_id
    return is_giver or may_revoke_all(actor, standing.system.institution_id)


def may_revoke_all(actor: User, institution_id: int) -> bool:
    """Whether the actor may revoke every standing pre-approval of the institution."""
    return actor.is_active and (actor.is_superuser or holds_role(actor, OFFICERS, institution_id))


def standing_for(step: ApprovalStep) -> StandingApproval | None:
    """The first standing pre-approval that satisfies a locked step now, locked until the transaction ends.

    Never for critical sites or dangerous requests, where the decider must show again who they are, or by somebody
    who filed or amended the task, no longer could decide the step, or has another step of the round.
    """
    task = step.round.task
    is_asked_again = step.needs_reauthentication or needs_proof(task)
    if step.is_automatic or is_asked_again or task.is_dangerous or not may_stand(strictest_tier(task)):
        return None
    candidates = StandingApproval.objects.select_for_update(of=("self",)).filter(
        system=task.system_id, sub_type=task.sub_type, role=step.role, revoked_at=None, valid_until__gt=now()
    )
    candidates = candidates.exclude(giver__in=task.author_ids).order_by("pk")
    able: set[int] | None = None
    for standing in candidates.select_related("giver"):
        able = able if able is not None else {person.pk for person in people_for(step.role, task)} - _busy(step)
        if standing.giver_id in able and _uses(standing) < standing.uses_allowed:
            return standing
    return None


def _busy(step: ApprovalStep) -> set[int]:
    """People who decided, or are to decide, another step of the round."""
    others = step.round.steps.exclude(pk=step.pk).exclude(status=StepStatus.VOID)
    return {pk for pair in others.values_list("approver", "decided_by") for pk in pair if pk is not None}


def _uses(standing: StandingApproval) -> int:
    """How often it was used in the period that ends now."""
    return ApprovalStep.objects.filter(standing_approval=standing, decided_at__gt=now() - standing.period).count()
