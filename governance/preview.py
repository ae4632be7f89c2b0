"""Who would be asked today: the rules and selectors of real approvals, asked for a task that doesn't exist."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count

from accounts.models import User
from cmdb.choices import Tier
from cmdb.models import System
from governance.choices import StepRole
from governance.models import ApprovalPolicy, StandingApproval
from governance.rules import Question, Work, best_policy, may_do_without_people, may_stand, questions_of
from governance.selectors import imagined_task, people_for
from guardia.common.clock import now
from tickets.choices import Category, Risk, SubType, risk_of
from tickets.parsing.result import CATEGORY_OF


@dataclass(frozen=True, slots=True)
class PreviewStep:
    """`others` would follow the person; for an automatic check they decide where it finds something."""

    question: Question
    others: list[User]
    standing: StandingApproval | None


@dataclass(frozen=True, slots=True)
class Preview:
    """One kind of work on one tier. `policy` is None where none covers it; `is_blocked`: it can't be approved."""

    sub_type: SubType
    risk: Risk
    policy: ApprovalPolicy | None
    steps: list[PreviewStep]
    is_blocked: bool


def tiers_of(system: System) -> list[tuple[Tier, int]]:
    """The tiers of the system's active servers with their number, the most critical first."""
    rows = system.servers.filter(is_active=True).values_list("site__tier").annotate(n=Count("pk"))
    return [(Tier(tier), count) for tier, count in sorted(rows)]


def people_of(system: System) -> dict[str, list[User]]:
    """Whom each role means for the system, in the order of being asked; a requester among them would be left out."""
    task = imagined_task(system)
    return {role.value: people_for(role, task) for role in StepRole}


def preview_of(
    system: System, tier: int | None, people: Mapping[str, list[User]]
) -> list[tuple[Category, list[Preview]]]:
    """Every kind of work by category, on servers of whose tiers `tier` is the most critical."""
    policies = list(ApprovalPolicy.objects.prefetch_related("steps"))
    valid = StandingApproval.objects.filter(system=system, revoked_at=None, valid_until__gt=now())
    standing = {(row.sub_type, row.role): row for row in valid.select_related("giver").order_by("-pk")}
    groups: dict[Category, list[Preview]] = {category: [] for category in Category}
    for sub_type in SubType:
        category = Category(CATEGORY_OF[sub_type])
        risk = risk_of(category, sub_type, is_dangerous=False)
        policy = best_policy(policies, Work(category, sub_type, risk, tier))
        questions = questions_of(policy.steps.all(), people.__getitem__) if policy else []
        steps = [
            PreviewStep(
                question,
                [person for person in people[question.step.role] if person != question.person],
                _standing(standing.get((sub_type, question.step.role)), question, people[question.step.role], tier)
                if risk < Risk.HIGH
                else None,
            )
            for question in questions
        ]
        groups[category].append(Preview(sub_type, risk, policy, steps, _is_blocked(questions, tier)))
    return list(groups.items())


def _standing(
    row: StandingApproval | None, question: Question, people: list[User], tier: int | None
) -> StandingApproval | None:
    """The pre-approval that may count here; whether it still has a use left shows when the task is there."""
    step = question.step
    counts = may_stand(tier) and not step.is_automatic and not step.needs_reauthentication
    return row if row is not None and counts and row.giver in people else None


def _is_blocked(questions: list[Question], tier: int | None) -> bool:
    needs_nobody = all(question.step.is_automatic for question in questions)
    return any(question.is_open for question in questions) or (needs_nobody and not may_do_without_people(tier))
