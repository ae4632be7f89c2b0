"""What the core takes from a gateway: parcels of its spool, each once and in order, all of one or nothing of it."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DataError, transaction
from django_fsm import TransitionNotAllowed

from audit.chain import gateway_chain
from audit.exceptions import ForeignEntryRefused
from audit.services.receive import receive_entries, receive_keys
from cmdb.models import Gateway
from execution.choices import CLAIMABLE, HELD, HaltScope, HostStatus, Phase, StepStatus
from execution.facts.compare import drift_of
from execution.facts.parse import Facts
from execution.gate.session import Outcome
from execution.gateways.door import raise_alarm
from execution.gateways.exceptions import ParcelRefused, Stranger
from execution.gateways.messages import parcel_digest
from execution.halts.press import halt
from execution.live.events import append_event
from execution.models import GatewayOrder, HostRun, ResultTable, Run, StepResult
from execution.rollout.core_logs import Fetched, add_core_logs
from execution.rollout.facts import keep_facts
from execution.rollout.locks import lock_run
from execution.words import EVENTS
from guardia.common.canonical import digest
from guardia.common.clock import now
from guardia.common.errors import StaleState
from guardia.common.masking import mask
from guardia.common.queue import enqueue
from guardia.common.text import printable

#: How a host may end, by the phase of its order → the transition that says so in the core's row.
ENDS: dict[str, dict[str, str]] = {
    Phase.APPLY: {"DONE": "finish", "FAILED": "fail", "UNCERTAIN": "lose", "HALTED": "halt", "UNTOUCHED": "spare"},
    "CHECK": {"DONE": "end_check", "FAILED": "fail"},
    Phase.UNDO: {
        "UNDONE": "finish_undo",
        "UNDO_FAILED": "fail_undo",
        "UNCERTAIN": "lose",
        "UNDO_PENDING": "halt_undo",
    },
}
_PLAIN = ("finish", "finish_undo", "spare", "end_check")
#: What of a run a gateway may tell: never of the run as a whole. Others, of another version, are passed over.
_EVENTS = tuple(kind for kind in EVENTS if kind.startswith(("host_", "step_")) or kind == "drift")
_SAID = ("status", "code", "error", "step", "phase", "output", "text")
_LONGEST = 64 * 1024
_IMPOSSIBLE = (
    ForeignEntryRefused,
    TransitionNotAllowed,
    DataError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,
)


def take_parcel(gateway: Gateway, number: int, body: str, keys: Sequence[dict[str, str]] = ()) -> int:
    """Take the next parcel; one that was taken is acknowledged again. Returns the last number that the core has.
    `keys` open the personal parts of its entries; they come beside the parcel, which lies in the spool.

    Raises ParcelRefused, with an alarm, for a gap, a fork, or a parcel whose content can't be.
    """
    try:
        content = json.loads(body)
        previous = content["previous"]
        _press(gateway, content["halts"])
        with transaction.atomic():
            receive_keys(key=gateway_chain(gateway.full_code), keys=keys)
            return _take(gateway, number, previous, body, content)
    except ParcelRefused as refusal:
        raise_alarm(gateway, str(refusal))
        raise
    except _IMPOSSIBLE as error:
        wrong = ParcelRefused(f"parcel {number} says what can't be ({type(error).__name__}: {error})"[:500])
        raise_alarm(gateway, str(wrong))
        raise wrong from error


def check_head(gateway: Gateway, number: int, head: str) -> None:
    """Whether the gateway's own last parcel can be: it never has fewer than were taken, nor others."""
    is_older = number < gateway.taken_number
    if is_older or (number == gateway.taken_number and head != gateway.taken_digest):
        refusal = ParcelRefused(f"its spool ends at {number}, {gateway.taken_number} were taken: a copy or a back-up")
        raise_alarm(gateway, str(refusal))
        raise refusal


def _take(gateway: Gateway, number: int, previous: str, body: str, content: dict[str, Any]) -> int:
    row = Gateway.objects.select_for_update(of=("self",)).select_related("institution").get(pk=gateway.pk)
    if not row.is_in_service:
        raise Stranger
    found = parcel_digest(previous, body)
    if number == row.taken_number and found == row.taken_digest:
        return row.taken_number  # our answer was lost
    if number <= row.taken_number:
        raise ParcelRefused(f"parcel {number} was taken before, and was another one")
    if number > row.taken_number + 1:
        raise ParcelRefused(f"parcel {number} came after {row.taken_number}: some are missing")
    if previous != row.taken_digest:
        raise ParcelRefused(f"parcel {number} doesn't follow the one before it")
    for run_pk, told in _by_run(row, content).items():
        _tell_run(run_pk, told)
        enqueue("execution.tasks.drive_run", run_pk)
    receive_entries(key=gateway_chain(row.full_code), bodies=content["entries"])
    row.taken_number, row.taken_digest = number, found
    row.save(update_fields=["taken_number", "taken_digest"])
    return number


def _press(gateway: Gateway, halts: list[dict[str, Any]]) -> None:
    """Somebody pressed the kill switch there: the core's runs that it holds stop too. Pressing twice is pressing."""
    for pressed in halts:
        runs = Run.objects.filter(finished_at=None, waves__host_runs__orders__in=gateway.orders.filter(settled_at=None))
        if pressed["run"] is not None:
            runs = runs.filter(pk=int(pressed["run"]))
        for pk in list(runs.order_by("pk").distinct().values_list("pk", flat=True)):
            who = f"gateway:{gateway.code} {pressed['halted_as']}"[:160]
            try:
                halt(actor=who, scope=HaltScope.RUN, run_pk=pk, reason=str(pressed["reason"])[:2000])
            except StaleState:
                continue


def _by_run(gateway: Gateway, content: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Hosts and events by the run, in the order in which runs are locked; all of them of this gateway."""
    told: dict[int, dict[str, Any]] = {}
    for kind in ("hosts", "refused", "events"):
        for said in content[kind]:
            order = gateway.orders.select_related("host_run__wave").filter(pk=int(said["order"])).first()
            if order is None:
                raise ParcelRefused(f"order {said['order']} isn't this gateway's")
            run = told.setdefault(
                order.host_run.wave.run_id, {"hosts": [], "refused": [], "events": [], "name": gateway.name}
            )
            run[kind].append((order, said))
    return dict(sorted(told.items()))


def _tell_run(run_pk: int, told: dict[str, Any]) -> None:
    run = lock_run(run_pk)
    for order, said in told["hosts"]:
        rows = HostRun.objects.select_for_update(of=("self",), no_key=True).select_related("server")
        host_run = rows.get(pk=order.host_run_id)
        if host_run.claim != order.claim:
            continue  # given up meanwhile: what it says of the host now is in its chain, and changes nothing
        for step in said["steps"]:
            _tell_step(host_run, order, step)
        if said["facts"] is not None:
            _tell_facts(run, host_run, said["facts"])
        _tell_logs(run, host_run, order, said.get("logs", []))
        _tell_host(host_run, order, said)
    for order, said in told["refused"]:
        _refuse(run, order, str(said["reason"]))
    for order, said in told["events"]:
        if said["kind"] not in _EVENTS:
            continue
        data = {name: mask(printable(str(said["data"][name])))[:_LONGEST] for name in _SAID if name in said["data"]}
        host = order.host_run.server.hostname
        append_event(
            run, said["kind"], order.host_run, **data, host=host, gateway=told["name"], at=str(said["at"])[:40]
        )


def _refuse(run: Run, order: GatewayOrder, reason: str) -> None:
    """The gateway doesn't take it: nothing was begun there."""
    host_run = (
        HostRun.objects.select_for_update(of=("self",), no_key=True).select_related("server").get(pk=order.host_run_id)
    )
    if host_run.claim != order.claim:
        return
    fail = host_run.fail_undo if order.phase == Phase.UNDO else host_run.fail
    fail("gateway_refused", mask(reason)[:_LONGEST])
    host_run.save()
    GatewayOrder.objects.filter(pk=order.pk).update(settled_at=now())
    append_event(run, "host_settled", host_run, host=host_run.server.hostname, status=host_run.status, error=reason)


def _tell_host(host_run: HostRun, order: GatewayOrder, said: dict[str, Any]) -> None:
    host_run.saved = {str(name)[:64]: str(value)[:256] for name, value in said["saved"].items()}
    status = HostStatus(said["status"])
    if said["is_settled"]:
        by = ENDS[order.phase][status]
        transition = getattr(host_run, by)
        transition() if by in _PLAIN else transition(str(said["code"])[:32], mask(str(said["error"]))[:_LONGEST])
        GatewayOrder.objects.filter(pk=order.pk).update(settled_at=now())
    elif status not in (*HELD, *CLAIMABLE):
        raise ParcelRefused(f"a host that is {status} is settled")
    host_run.save()


def _tell_step(host_run: HostRun, order: GatewayOrder, said: dict[str, Any]) -> None:
    place: dict[str, Any] = {
        "phase": Phase(said["phase"]),
        "order": int(said["order"]),
        "attempt": int(said["attempt"]),
    }
    output = mask(printable(str(said["output"])))[:_LONGEST]
    values: dict[str, Any] = {
        "name": str(said["name"])[:64],
        "status": StepStatus(said["status"]),
        "exit_status": None if said["exit_status"] is None else int(said["exit_status"]),
        "output": output,
        "output_sha256": str(said["output_sha256"])[:64],
        "error_code": str(said["error_code"])[:32],
        "finished_at": _moment(said["finished_at"]),
    }
    step, _is_new = StepResult.objects.update_or_create(host_run=host_run, **place, defaults=values)
    StepResult.objects.filter(pk=step.pk).update(started_at=_moment(said["started_at"]))
    if said["table"] is not None and not ResultTable.objects.filter(step=step).exists():
        table = {name: said["table"][name] for name in ("columns", "rows")}
        flags = {name: bool(said["table"][name]) for name in ("is_complete", "is_masked")}
        ResultTable.objects.create(step=step, digest=digest(table), **table, **flags)


def _tell_facts(run: Run, host_run: HostRun, said: dict[str, Any]) -> None:
    """What was seen of the server; how it differs is reckoned here, from the plan that was approved."""
    steps = run.plan.content["hosts"][host_run.server.hostname]["steps"]
    looks = [(at, op) for at, step in enumerate(steps) for op in step["apply"] if op["op"] == "facts"]
    if not looks:
        return  # nobody asked
    [(order, op), *_others] = looks
    facts = Facts(_texts(said["named"]), _texts(said["paths"]))
    drift = drift_of(facts, op["expects"])
    keep_facts([(host_run.server, Outcome(facts=facts, drift=drift))])
    StepResult.objects.filter(host_run=host_run, phase=Phase.APPLY, order=order).update(drift=drift)


def _tell_logs(run: Run, host_run: HostRun, order: GatewayOrder, said: list[dict[str, Any]]) -> None:
    """What it kept of a failed host's logs, of those that the plan names; its own entries tell of them."""
    planned = run.plan.content["hosts"][host_run.server.hostname].get("logs", ())
    longest = settings.GUARDIA_CORE_LOG_KIB * 1024
    logs = [Fetched(str(log["path"]), str(log["text"])[-longest:], str(log["error"])) for log in said]
    add_core_logs(run, host_run, Phase(order.phase), [log for log in logs if log.path in planned])


def _texts(said: dict[str, Any]) -> dict[str, str]:
    return {printable(str(name))[:300]: printable(str(value))[:8000] for name, value in list(said.items())[:500]}


def _moment(text: str | None) -> datetime | None:
    moment = datetime.fromisoformat(text) if text else None
    if moment is not None and moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment
