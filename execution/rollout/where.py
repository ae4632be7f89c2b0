"""Between which steps a host stands, also in words."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from execution.choices import Phase, StepStatus
from execution.models import HostRun, Run, StepResult
from execution.steps.ops import Step
from execution.steps.saving import was_idle
from execution.steps.undo import OUT
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


def left_out(steps: Sequence[Step], results: Iterable[StepResult], saved: Mapping[str, Any]) -> list[str]:
    """The balancers at which the host is (or may be) still taken out, by their host or control; `results`: of both
    ways, oldest first."""
    last = {(result.phase, result.name): result.status in SETTLED_STEPS for result in results}
    places: list[str] = []
    for step in steps:
        name, back = step["name"], f"un{step['name']}"
        if name not in OUT or (Phase.APPLY, name) not in last or was_idle(step["apply"], saved):
            continue
        is_used = last.get((Phase.APPLY, back), False) and (Phase.UNDO, back) not in last
        if not is_used and not last.get((Phase.UNDO, name), False):
            places += [_place(op) for op in step["undo"]]
    return sorted(set(places))


def _place(op: Any) -> str:
    """Of an operation at a balancer: its host, or else the control that a script is given, or the command."""
    return str(op.get("on") or (op["argv"][5] if len(op["argv"]) > 5 else op["argv"][0]))


def steps_begun(run: Run, hosts: Collection[HostRun] | None = None) -> dict[int, list[StepResult]]:
    """Host run's key → its steps of the way forward, oldest first; of `hosts`, or of all."""
    found: dict[int, list[StepResult]] = defaultdict(list)
    results = StepResult.objects.filter(host_run__wave__run=run, phase=Phase.APPLY)
    if hosts is not None:
        results = results.filter(host_run__in=[host.pk for host in hosts])
    for result in results.defer("output").order_by("pk"):
        found[result.host_run_id].append(result)
    return found
