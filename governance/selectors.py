"""Reads of governance: which policy applies, who would be asked, what waits for whom."""

from collections.abc import Sequence

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    Exists,
    Min,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
    prefetch_related_objects,
)
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from accounts.choices import Authority, Role
from accounts.models import Membership, User
from accounts.scope import holders_of, holds_role, memberships_of, visible_to
from cmdb.models import System
from governance.choices import CHANGES_CODE, HANDS, ReviewDecision, RoundStatus, StepRole, StepStatus
from governance.exceptions import NobodyToAsk
from governance.models import (
    Absence,
    ApprovalPolicy,
    ApprovalRound,
    ApprovalStep,
    ChangeReview,
    Evidence,
    ManualRecord,
    StepQuestion,
    SystemOwner,
    Takeover,
)
from governance.rules import Work, best_policy
from tickets.choices import Risk, TaskStatus
from tickets.models import OpsTask


def policy_for(task: OpsTask) -> ApprovalPolicy:
    """The policy that says most about this work: sub-type before category before risk before tier."""
    work = Work(task.category, task.sub_type, task.risk, strictest_tier(task))
    policy = best_policy(ApprovalPolicy.objects.prefetch_related("steps"), work)
    if policy is None:
        raise NobodyToAsk(_("No approval policy covers this kind of work. An administrator can add one."))
    return policy


def strictest_tier(task: OpsTask) -> int | None:
    """The tier that counts: that of the most critical site the task touches. None without servers."""
    tier: int | None = task.servers.aggregate(strictest=Min("site__tier"))["strictest"]
    return tier


def people_for(role: str, task: OpsTask) -> list[User]:
    """Who may be asked at a step of this role, in order; never its authors, nor who only looks on."""
    ownership = _ownership(task) if role == StepRole.OWNER else None
    if ownership is None:
        people = list(holders_of(_role_of(role), task.institution_id, authority=Authority.APPROVER))
    else:
        deciding = ownership.deciding  # type: ignore[attr-defined]  # annotated: who of the named may decide
        people = [person for person in ownership.people() if person.is_active and person.pk in deciding]
    return [person for person in people if person.pk not in task.author_ids]


def _ownership(task: OpsTask) -> SystemOwner | None:
    owned = SystemOwner.objects.filter(system=task.system, is_active=True)
    named = Q(user=OuterRef("owner")) | Q(user=OuterRef("deputy")) | Q(user=OuterRef("supervisor"))
    deciding = ArraySubquery(_approvers(task).filter(named).values("user"))
    return owned.annotate(deciding=deciding).select_related("owner", "deputy", "supervisor").first()


def _role_of(role: str) -> Role:
    return Role.TEAM_LEAD if role == StepRole.OWNER else Role(role)


def imagined_task(system: System) -> OpsTask:
    """A task of nobody for this system, never saved: to ask of it what would be asked of a real one."""
    return OpsTask(system=system, institution=system.institution)


def policy_officers() -> QuerySet[User]:
    """Who may propose and decide changes of policies: they hold for all institutions, so these must too."""
    roles = [Role.ADMINISTRATOR, Role.SECURITY_OFFICER]
    held = Q(memberships__role__in=roles, memberships__institution=None, memberships__authority=Authority.APPROVER)
    return User.objects.filter(held | Q(is_superuser=True), is_active=True).order_by("pk").distinct()


def is_policy_officer(user: User | AnonymousUser) -> bool:
    return policy_officers().filter(pk=user.pk or 0).exists()


def living_round(task: OpsTask) -> ApprovalRound | None:
    """The round that counts: open or approved. The database allows one."""
    return task.rounds.filter(status__in=[RoundStatus.OPEN, RoundStatus.APPROVED]).first()


def steps_of(task: OpsTask) -> list[ApprovalStep]:
    """The steps of every round, the newest round first, with their people and, where `was_asked`, their questions."""
    steps: list[ApprovalStep] = list(
        ApprovalStep.objects.filter(round__task=task)
        .select_related("round", "original_owner", "approver", "decided_by")
        .annotate(was_asked=Exists(StepQuestion.objects.filter(step=OuterRef("pk"))))
        .order_by("-round__number", "order")
    )
    asked = Prefetch("questions", StepQuestion.objects.select_related("asker"))
    prefetch_related_objects([step for step in steps if step.was_asked], asked)  # type: ignore[attr-defined]  # annotated by the query
    return steps


def voided_digests(task: OpsTask) -> tuple[str, str] | None:
    """The digest that was voided last, and the one it gave way to; None where there is no such change to tell."""
    return voided_among(
        ApprovalStep.objects.filter(round__task=task).select_related("round").order_by("-round__number")
    )


def voided_among(steps: Sequence[ApprovalStep] | QuerySet[ApprovalStep]) -> tuple[str, str] | None:
    """The same of the steps of a task's every round, the newest first (`steps_of`)."""
    voided = next((step.round.plan_digest for step in steps if step.round.status == RoundStatus.VOID), None)
    if voided is None or voided == steps[0].round.plan_digest:
        return None
    return voided, steps[0].round.plan_digest


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
    """Results and prepared changes that wait for this PM."""
    tasks = OpsTask.objects.select_related("institution", "system", "requester").filter(
        status__in=[TaskStatus.PENDING_VALIDATION, TaskStatus.PENDING_REVIEW]
    )
    mine = [held for held in memberships_of(user) if held.role == Role.PM and held.authority == Authority.APPROVER]
    keys = {held.institution_id for held in mine}
    if None not in keys:  # named one by one, as in `visible_to`
        tasks = tasks.filter(institution__in=keys)
    return tasks.exclude(requester=user.pk or 0)


def may_decide(user: User, task: OpsTask) -> bool:
    """Whether an active user is an approver, not only a viewer, where the task belongs."""
    if not user.is_active:
        return False
    return _approvers(task).filter(user=user).exists()


def _approvers(task: OpsTask) -> QuerySet[Membership]:
    here = Q(institution=None) | Q(institution=task.institution_id)
    return Membership.objects.filter(here, authority=Authority.APPROVER)


def still_holds(user: User, step: ApprovalStep, task: OpsTask) -> bool:
    """Whether the person asked is still one of those the step asks: by role, by name (the supervisor for any step),
    or named by an absent owner to stand in."""
    if holds_role(user, _role_of(step.role), task.institution_id, authority=Authority.APPROVER):
        return True
    ownership = _ownership(task)
    is_owners = step.role == StepRole.OWNER
    if ownership is not None and (user.pk == ownership.supervisor_id or (is_owners and user in ownership.people())):
        return True
    owners = {step.original_owner_id, ownership.owner_id if ownership is not None else None}
    return is_owners and bool(step.escalation_level) and Absence.objects.filter(user__in=owners, deputy=user).exists()


def may_validate(user: User, task: OpsTask) -> bool:
    """A PM of the institution who neither filed nor amended the task."""
    return user.pk not in task.author_ids and is_pm(user, task)


def is_pm(user: User, task: OpsTask) -> bool:
    """A PM of the institution who decides, not only looks on."""
    return holds_role(user, Role.PM, task.institution_id, authority=Authority.APPROVER)


def may_work_by_hand(user: User, task: OpsTask) -> bool:
    """A PM or operator of the institution, not a viewer, may take a task over."""
    return holds_role(user, HANDS, task.institution_id, authority=Authority.APPROVER)


def holder_of(task: OpsTask) -> User | None:
    """Who has the task in their own hands now."""
    last = task.takeovers.select_related("person").first()
    return last.person if last is not None else None


def manual_records_of(task: OpsTask) -> list[ManualRecord]:
    """What was done by hand, oldest first, each with what is shown of its evidence (`files`) and with `hostnames`."""
    worked_on = ManualRecord.servers.through.objects.filter(manualrecord=OuterRef("pk")).order_by("server__hostname")
    files = Evidence.objects.filter(record=OuterRef("pk")).order_by("pk")
    records = task.manual_records.select_related("author").annotate(
        hostnames=ArraySubquery(worked_on.values("server__hostname")),
        files=ArraySubquery(files.values(shown=JSONObject(pk="pk", name="name", size="size", sha256="sha256"))),
    )
    return list(records)


def change_reviews_of(task: OpsTask) -> list[ChangeReview]:
    """Every revision, the newest first. Diffs are long: only the newest one's is read, as `newest_diff`."""
    reviews = task.change_reviews.order_by("-revision")
    shown = Case(When(pk=reviews.values("pk")[:1], then="diff"), default=Value(""), output_field=TextField())
    return list(reviews.select_related("reviewer").defer("context", "diff").annotate(newest_diff=shown))


def has_evidence(task: OpsTask) -> bool:
    """Whether a record of manual work came with a file or a command log."""
    return task.manual_records.filter(Q(evidence__isnull=False) | ~Q(command_log="")).exists()


def workers_by_hand(task: OpsTask) -> set[int]:
    """Keys of the people who took the task over or recorded work: none of them accepts it."""
    return {*task.takeovers.values_list("person", flat=True), *task.manual_records.values_list("author", flat=True)}


def may_accept_work(user: User, task: OpsTask, records: Sequence[ManualRecord], takeovers: Sequence[Takeover]) -> bool:
    """A PM who neither filed the task nor worked on it, once there is evidence; `records` as of `manual_records_of`."""
    workers = {*(row.person_id for row in takeovers), *(row.author_id for row in records)}
    is_shown = any(row.files or row.command_log for row in records)  # type: ignore[attr-defined]  # annotated
    return may_validate(user, task) and is_shown and user.pk not in workers


def may_have_run(task: OpsTask) -> bool:
    """Whether the task was ever approved, so that servers may have been touched."""
    return task.rounds.filter(status__in=[RoundStatus.APPROVED, RoundStatus.VOID]).exists()


def needs_change(task: OpsTask) -> bool:
    """Work whose change is prepared and reviewed before it runs."""
    return task.sub_type in CHANGES_CODE


def awaits_change(task: OpsTask) -> bool:
    """Whether a change must still be prepared and accepted before the task may run."""
    if not needs_change(task):
        return False
    last = task.change_reviews.order_by("-revision").first()
    if last is None or last.decision != ReviewDecision.ACCEPT:
        return True
    reworks = task.result_reviews.filter(decision=ReviewDecision.REWORK, created_at__gt=last.reviewed_at)
    return bool(reworks.exists())


def accepted_change(task: OpsTask) -> ChangeReview | None:
    """The change that a PM accepted last; None for work that needs none."""
    accepted = task.change_reviews.filter(decision=ReviewDecision.ACCEPT).order_by("-revision")
    return accepted.first() if needs_change(task) else None


def instructions_for(task: OpsTask) -> list[str]:
    """What PMs asked to be done differently, oldest first. It becomes part of the next plan; a code change's goes to
    the one who prepares the change instead."""
    if needs_change(task):
        return []
    reworks = task.result_reviews.filter(decision=ReviewDecision.REWORK).order_by("pk")
    return list(reworks.values_list("comment", flat=True))


def needs_proof(task: OpsTask) -> bool:
    """Whether a decision on this task needs the password or a one-time code again: from high risk on."""
    return task.risk >= Risk.HIGH
