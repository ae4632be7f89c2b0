"""Reads of governance: which policy applies, who would be asked, what waits for whom."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Min, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.choices import Authority, Role
from accounts.models import Membership, User
from accounts.scope import holders_of, holds_role, visible_to
from governance.choices import RoundStatus, StepRole, StepStatus
from governance.exceptions import NobodyToAsk
from governance.models import ApprovalPolicy, ApprovalRound, ApprovalStep, SystemOwner
from tickets.choices import TaskStatus
from tickets.models import OpsTask


def policy_for(task: OpsTask) -> ApprovalPolicy:
    """The policy that says most about this work: sub-type before category before risk before tier."""
    tier = task.servers.aggregate(strictest=Min("site__tier"))["strictest"]
    candidates = (
        ApprovalPolicy.objects.filter(Q(category="") | Q(category=task.category))
        .filter(Q(sub_type="") | Q(sub_type=task.sub_type))
        .filter(Q(risk=None) | Q(risk=task.risk))
        .filter(Q(tier=None) | Q(tier=tier))
        .prefetch_related("steps")
    )
    policies = [policy for policy in candidates if policy.steps.all()]
    if not policies:
        raise NobodyToAsk(_("No approval policy covers this kind of work. An administrator can add one."))
    return max(policies, key=lambda p: (bool(p.sub_type), bool(p.category), p.risk is not None, p.tier is not None))


def people_for(role: str, task: OpsTask) -> list[User]:
    """Who may be asked at a step of this role, in order; never the requester."""
    people: list[User] = []
    if role == StepRole.OWNER:
        ownership = SystemOwner.objects.filter(system=task.system, is_active=True).first()
        people = ownership.people() if ownership else list(holders_of(Role.TEAM_LEAD, task.institution_id))
    else:
        people = list(holders_of(Role(role), task.institution_id))
    return [person for person in people if person.is_active and person.pk != task.requester_id]


def living_round(task: OpsTask) -> ApprovalRound | None:
    """The round that counts: open or approved. The database allows one."""
    return task.rounds.filter(status__in=[RoundStatus.OPEN, RoundStatus.APPROVED]).first()


def approved_digest(task: OpsTask) -> str | None:
    """The digest that every step of the living, approved round was decided for; None where that isn't so."""
    living = living_round(task)
    if living is None or living.status != RoundStatus.APPROVED:
        return None
    steps = list(living.steps.all())
    agreed = all(step.status == StepStatus.APPROVED and step.digest_seen == living.plan_digest for step in steps)
    return living.plan_digest if steps and agreed else None


def steps_awaiting(user: User | AnonymousUser) -> QuerySet[ApprovalStep]:
    """The user's inbox: steps that wait for this person, oldest first."""
    steps = ApprovalStep.objects.select_related("round__task__institution", "round__task__requester")
    return visible_to(steps.filter(approver=user.pk or 0, status=StepStatus.PENDING), user).order_by("pk")


def tasks_to_validate(user: User | AnonymousUser) -> QuerySet[OpsTask]:
    """Results that wait for this PM."""
    mine = Membership.objects.filter(user=user.pk, role=Role.PM)
    tasks = OpsTask.objects.select_related("institution", "system", "requester").filter(
        status=TaskStatus.PENDING_VALIDATION
    )
    if not mine.filter(institution=None).exists():
        tasks = tasks.filter(institution__in=mine.values("institution"))
    return tasks.exclude(requester=user.pk or 0)


def may_decide(user: User, task: OpsTask) -> bool:
    """Whether an active user is an approver, not only a viewer, where the task belongs."""
    if not user.is_active:
        return False
    here = Q(institution=None) | Q(institution=task.institution_id)
    return Membership.objects.filter(here, user=user, authority=Authority.APPROVER).exists()


def may_validate(user: User, task: OpsTask) -> bool:
    """A PM of the institution who didn't file the task."""
    return user.pk != task.requester_id and holds_role(user, Role.PM, task.institution_id)
