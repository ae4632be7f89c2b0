"""The engine's panels on a task's page: the plan, the live run, the result package."""

from datetime import timedelta
from itertools import groupby
from typing import Any

from accounts.choices import Role
from accounts.scope import holds_role
from execution.choices import BAD, GOING_BACK, HeldFor, HostStatus, RunStatus
from execution.dry_run_panel import dry_run
from execution.gate.halts import halts_of_institution
from execution.gateways.selectors import gateways_of
from execution.halts.who import may_halt
from execution.live.events import event_to_dict
from execution.models import HostRun, Run
from execution.open_log import READERS
from execution.plan.compare import differences
from execution.plan.render import commands_of
from execution.plan.rollout_words import planned_waves, strategy_words
from execution.plan.voided import voided_plans
from execution.playbooks.strategy import Strategy
from execution.rollout.steering import steering_of
from execution.selectors import core_logs_of, current_plan, host_runs_of, last_events, latest_run, with_progress
from execution.words import script_words
from governance.selectors import steps_of, voided_among
from tickets.panels import TaskPage, register_panel

_HOSTS_SHOWN = 50
_EVENTS_SHOWN = 200
_NAMED = 30
_LOGS_SHOWN = 200


def register() -> None:
    register_panel(order=10, template="execution/partials/plan_panel.html", context=plan)
    register_panel(order=12, template="execution/partials/dry_run_panel.html", context=dry_run)
    register_panel(order=15, template="execution/partials/changes_panel.html", context=changes)
    register_panel(order=28, template="execution/partials/halted_panel.html", context=halted)
    register_panel(order=30, template="execution/partials/run_panel.html", context=live_run)
    register_panel(order=50, template="execution/partials/result_panel.html", context=result)


def plan(page: TaskPage) -> dict[str, Any] | None:
    """What will be done: waves of hosts, and every command of the first hosts; the download has all of them."""
    current = page.once(current_plan) if page.has("plans") else None
    if current is None:
        return None
    content = current.content
    room = _HOSTS_SHOWN
    waves = planned_waves(content)
    for wave in waves:
        shown = wave["names"][:room]
        room -= len(shown)
        wave["is_canary"] = wave["number"] == 1 and len(waves) > 1
        wave["hosts"] = [_planned(name, content["hosts"][name]) for name in shown]
        wave["names_left"] = wave["names"][len(shown) :]
    return {"plan": current, "content": content, "waves": waves, "strategy": strategy_words(Strategy.of(content))}


def _run_of(page: TaskPage) -> Run | None:
    return page.once(latest_run) if page.has("runs") else None


def _planned(hostname: str, host: dict[str, Any]) -> dict[str, Any]:
    return {
        "hostname": hostname,
        "address": host["address"],
        "tier": host["tier"],
        "group": host["group"],
        "check": host.get("check"),
        "via": [hop["hostname"] for hop in host.get("via", ())],
        "gateway": host.get("gateway"),
        "legacy_ssh": [name for door in (host, *host.get("via", ())) for name in door.get("legacy_ssh", ())],
        "steps": _steps(host["steps"]),
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


def changes(page: TaskPage) -> dict[str, Any] | None:
    """What differs between the plan whose approval became void and the one that came after it, side by side."""
    if not page.has("rounds"):
        return None
    plans = voided_plans(page.task, voided_among(page.once(steps_of)))
    if plans is None:
        return None
    found = differences(plans[0].content, plans[1].content)
    return {"before": plans[0], "after": plans[1], "changes": found[:_HOSTS_SHOWN], "left": len(found[_HOSTS_SHOWN:])}


def halted(page: TaskPage) -> dict[str, Any] | None:
    """Where every server stands after a halt, and the PM's ways from there."""
    run = _run_of(page)
    if run is None or run.halt is None or run.status != RunStatus.HALTED or run.finished_at is not None:
        return None
    is_pm = holds_role(page.user, Role.PM, page.task.institution_id)
    names: dict[str, list[str]] = {}
    for hostname, status in host_runs_of(run).values_list("server__hostname", "status"):
        names.setdefault(status, []).append(hostname)
    is_on_its_way_back = bool(run.rollback)
    is_stopped = halts_of_institution(page.task.institution_id).exists()
    return {
        "halt": run.halt,
        "hosts": [
            (status.value, status.label, names[status][:_NAMED], len(names[status][_NAMED:]))
            for status in HostStatus
            if status in names
        ],
        "wide": is_stopped,
        "is_pm": is_pm,
        "may_go_on": is_pm and not is_stopped,
        "may_resume": not is_on_its_way_back,
        "may_roll_back": set(names) != {HostStatus.UNTOUCHED},
    }


def live_run(page: TaskPage) -> dict[str, Any] | None:
    """The hosts by wave and the log, as of now; the page asks the websocket for what comes after `last_number`."""
    run = _run_of(page)
    if run is None:
        return None
    events = last_events(run.pk, _EVENTS_SHOWN)
    hosts = list(with_progress(host_runs_of(run)))  # read after the events: what is newer is told again, in order
    return {
        "run": run,
        "step_count": _step_count(run),
        "strategy": strategy_words(Strategy.of(run.plan.content)),
        "waves": _waves(run, hosts),
        "host_count": sum(host.status != HostStatus.RETRIED for host in hosts),
        "done_count": sum(host.status == HostStatus.DONE for host in hosts),
        "bad_count": sum(map(_is_bad, hosts)),
        "events": [event_to_dict(event) for event in events],
        "last_number": events[-1].number if events else 0,
        "words": script_words(),
        "gateways": gateways_of(page.user, run.plan.content),
        "logs": list(core_logs_of(run)[:_LOGS_SHOWN]) if any(host.error_code for host in hosts) else [],
        "may_read_logs": holds_role(page.user, READERS, page.task.institution_id),
        "steer": steering_of(page.user, page.task, run, hosts),
        "may_halt": run.is_living and may_halt(page.user, page.task.institution_id),
    }


def _is_bad(host: HostRun) -> bool:
    """It has failed, even where it has gone back since; not those that went back beside it."""
    return host.status in BAD or (host.status in GOING_BACK and bool(host.error_code))


def _waves(run: Run, hosts: list[HostRun]) -> list[dict[str, Any]]:
    strategy, content = Strategy.of(run.plan.content), run.plan.content["hosts"]
    waves = []
    for wave, members in groupby(hosts, key=lambda host: host.wave):
        group = list(members)
        is_baking = run.held_for == HeldFor.BAKE and wave.settled_at is not None and wave.checked_at is None
        waves.append(
            {
                "wave": wave,
                "hosts": group,
                "done": sum(host.status == HostStatus.DONE for host in group),
                "tolerated": strategy.tolerated_in_wave([content[host.server.hostname]["tier"] for host in group]),
                "watched_until": wave.settled_at + timedelta(seconds=strategy.bake) if is_baking else None,
                "waits": False,
            }
        )
    following = next((entry for entry in waves if entry["wave"].opened_at is None), None)
    if following is not None and run.held_for and run.is_living:
        following["waits"] = True
    return waves


def _step_count(run: Run) -> int:
    hosts = run.plan.content["hosts"].values()
    return max((len(host["steps"]) for host in hosts), default=0)


def result(page: TaskPage) -> dict[str, Any] | None:
    """What the run left behind."""
    run = _run_of(page)
    if run is None or not hasattr(run, "result"):
        return None
    document = run.result.document
    drift = [(host["hostname"], one) for host in document.get("hosts", ()) for one in host.get("drift", ())]
    return {"run": run, "package": run.result, "document": document, "drift": drift[:_EVENTS_SHOWN]}
