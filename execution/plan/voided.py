"""The plan whose approval became void, beside the one that came after it."""

from execution.models import Plan
from execution.plan.compare import PartChange, differences
from governance.selectors import voided_digests
from tickets.models import OpsTask


def voided_plans(task: OpsTask, digests: tuple[str, str] | None) -> tuple[Plan, Plan] | None:
    """The plan whose approval became void, and the one that came after it; None where there is no such change.
    `digests`: of `voided_digests`."""
    if digests is None:
        return None
    plans = {plan.digest: plan for plan in task.plans.filter(digest__in=digests)}
    return (plans[digests[0]], plans[digests[1]]) if len(plans) == 2 else None


def voided_differences(task: OpsTask) -> list[PartChange]:
    """What differs between them, part by part."""
    plans = voided_plans(task, voided_digests(task))
    return differences(plans[0].content, plans[1].content) if plans is not None else []
