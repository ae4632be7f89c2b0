"""In words: between which steps a host stands."""

from collections.abc import Collection, Mapping, Sequence

from django.utils.translation import gettext as _

from execution.choices import StepStatus
from execution.models import StepResult
from execution.steps.ops import Step
from execution.words import step_label

SETTLED_STEPS = (StepStatus.OK, StepStatus.PROBED)
_OPEN_STEPS = (StepStatus.STARTED, StepStatus.UNCERTAIN)


def halted_where(steps: Sequence[Step], results: Mapping[int, StepResult]) -> str:
    """`results` are the latest attempts by order."""
    done = {order for order, result in results.items() if result.status in SETTLED_STEPS}
    order = next((order for order in range(len(steps)) if order not in done), len(steps) - 1)
    values = {"number": order + 1, "all": len(steps), "step": step_label(steps[order]["name"])}
    return _("Halted before step %(number)s of %(all)s (%(step)s).") % values


def has_open_change(steps: Sequence[Step], results: Collection[StepResult]) -> bool:
    """Whether a step that changes the host was begun and nobody has seen how it ended."""
    return any(result.status in _OPEN_STEPS and steps[result.order]["changes"] for result in results)
