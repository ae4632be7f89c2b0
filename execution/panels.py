"""The engine's panels on a task's page: the plan, the live run, the result package."""

from typing import Any

from django.http import HttpRequest

from execution.live.events import event_to_dict
from execution.models import Run
from execution.plan.render import commands_of
from execution.selectors import current_plan, host_runs_of, last_events, latest_run
from tickets.models import OpsTask
from tickets.panels import register_panel

_HOSTS_SHOWN = 50
_EVENTS_SHOWN = 200


def register() -> None:
    register_panel(order=10, template="execution/partials/plan_panel.html", context=plan)
    register_panel(order=30, template="execution/partials/run_panel.html", context=live_run)
    register_panel(order=50, template="execution/partials/result_panel.html", context=result)


def plan(request: HttpRequest, task: OpsTask) -> dict[str, Any] | None:
    """What will be done: waves, and every command of every host."""
    current = current_plan(task)
    if current is None:
        return None
    content = current.content
    hosts = [
        {"hostname": name, "address": host["address"], "tier": host["tier"], "steps": _steps(host["steps"])}
        for name, host in list(content["hosts"].items())[:_HOSTS_SHOWN]
    ]
    return {
        "plan": current,
        "content": content,
        "waves": list(enumerate(content["waves"], start=1)),
        "hosts": hosts,
        "hosts_left": max(0, len(content["hosts"]) - _HOSTS_SHOWN),
    }


def _steps(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "name": step["name"],
            "changes": step["changes"],
            "commands": commands_of(step["apply"]),
            "undo": commands_of(step["undo"]),
        }
        for step in steps
    ]


def live_run(request: HttpRequest, task: OpsTask) -> dict[str, Any] | None:
    """The host grid and the log, as of now; the page asks the websocket for what comes after `last_number`."""
    run = latest_run(task)
    if run is None:
        return None
    events = last_events(run.pk, _EVENTS_SHOWN)
    return {
        "run": run,
        "step_count": _step_count(run),
        "host_runs": list(host_runs_of(run)),
        "events": [event_to_dict(event) for event in events],
        "last_number": events[-1].number if events else 0,
    }


def _step_count(run: Run) -> int:
    hosts = run.plan.content["hosts"].values()
    return max((len(host["steps"]) for host in hosts), default=0)


def result(request: HttpRequest, task: OpsTask) -> dict[str, Any] | None:
    """What the run left behind."""
    run = latest_run(task)
    if run is None or not hasattr(run, "result"):
        return None
    return {"run": run, "package": run.result, "document": run.result.document}
