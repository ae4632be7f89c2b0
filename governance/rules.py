"""The rules of policies, pure: which one says most about a kind of work, and who would be asked by it.

The approval of a task and the preview of a policy both use them, so that the preview can't promise something else.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from accounts.models import User
from cmdb.choices import Tier
from governance.models import ApprovalPolicy, PolicyStep


@dataclass(frozen=True, slots=True)
class Work:
    """What a policy is chosen by. `tier` is that of the most critical site; None where no server is known."""

    category: str
    sub_type: str
    risk: int
    tier: int | None


@dataclass(frozen=True, slots=True)
class Question:
    """One step as it will be: `person` is asked; None where Guardia decides (`step.is_automatic`) or nobody can be."""

    order: int
    step: PolicyStep
    person: User | None

    @property
    def is_open(self) -> bool:
        """A person is needed and there is none."""
        return self.person is None and not self.step.is_automatic


def best_policy(policies: Iterable[ApprovalPolicy], work: Work) -> ApprovalPolicy | None:
    """The policy that says most about this work: sub-type before category before risk before tier."""
    fitting = [policy for policy in policies if _covers(policy, work) and policy.steps.all()]
    return max(
        fitting,
        key=lambda p: (bool(p.sub_type), bool(p.category), p.risk is not None, p.tier is not None),
        default=None,
    )


def _covers(policy: ApprovalPolicy, work: Work) -> bool:
    return (
        policy.category in ("", work.category)
        and policy.sub_type in ("", work.sub_type)
        and policy.risk in (None, work.risk)
        and policy.tier in (None, work.tier)
    )


def questions_of(
    steps: Iterable[PolicyStep], people_for: Callable[[str], Sequence[User]], *, is_check_failed: bool = False
) -> list[Question]:
    """A policy's steps as single questions, each to another person; `people_for` gives a role's people in order.

    An automatic step asks nobody, unless its check has failed.
    """
    questions: list[Question] = []
    taken: set[int] = set()
    for step in steps:
        for _turn in range(step.approvers_needed):
            person = None
            if is_check_failed or not step.is_automatic:
                person = next((user for user in people_for(step.role) if user.pk not in taken), None)
            if person is not None:
                taken.add(person.pk)
            questions.append(Question(len(questions) + 1, step, person))
    return questions


def may_stand(tier: int | None) -> bool:
    """Whether a standing pre-approval may count: never where a critical site, or no known one, is touched."""
    return tier in (Tier.STANDARD, Tier.TEST)


def may_do_without_people(tier: int | None) -> bool:
    """Only test sites may be worked on without anybody's word."""
    return tier == Tier.TEST
