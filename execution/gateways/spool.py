"""A gateway's spool: what happened since the last parcel, sealed into the next one and handed over in order.

Nothing is written for it while hosts are worked on: events, steps and entries are rows anyhow, numbered without a gap,
and one snapshot of the database tells what of them is new. The cursor moves in the transaction that keeps the parcel.
"""

from typing import Any

from django.conf import settings
from django.db import connection, transaction

from audit.chain import gateway_chain
from audit.data_keys import clear_key
from audit.models import Chain, DataKey, Entry
from execution.choices import CLAIMABLE, HALTED_CODE, HELD, HostStatus
from execution.gateways.away import own_presses
from execution.gateways.messages import parcel_digest
from execution.models import (
    CoreLink,
    GatewayOrder,
    Halt,
    HostRun,
    Parcel,
    ResultTable,
    RunEvent,
    RunPart,
    ServerFacts,
    StepResult,
)
from guardia.common.canonical import canonical_bytes, moment_text
from guardia.common.clock import now

_MOST = 200
_LARGEST = 4 * 1024 * 1024


def seal_parcel() -> Parcel | None:
    """The next parcel, of what is new; None where nothing is. Smaller where much was said."""
    most = _MOST
    while True:
        with transaction.atomic():
            if len(connection.savepoint_ids) == 0:
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            parcel = _seal(most)
            if parcel is None or len(parcel.body) <= _LARGEST or most == 1:
                return parcel
            transaction.set_rollback(True)
        most = max(1, most // 4)


def waiting() -> int:
    return Parcel.objects.count()


def handed_over(number: int) -> None:
    """The core has everything up to this parcel."""
    Parcel.objects.filter(number__lte=number).delete()


def keys_to_give() -> list[dict[str, str]]:
    """What opens the personal parts of entries: the core is to have it, and nobody else."""
    rows = DataKey.objects.filter(chain__key=gateway_chain(settings.GUARDIA_GATEWAY)).select_related("chain")
    clear = [(row, clear_key(row)) for row in rows.order_by("pk")[:_MOST]]
    return [{"id": row.key_id, "about": row.subject, "key": key.hex()} for row, key in clear if key is not None]


def keys_given(keys: list[dict[str, str]]) -> None:
    """The core has them: who carries this machine off reads nothing of what was told before."""
    DataKey.objects.filter(key_id__in=[key["id"] for key in keys]).delete()


def _seal(most: int) -> Parcel | None:
    link, _is_new = CoreLink.objects.get_or_create(pk=1)
    link = CoreLink.objects.select_for_update().get(pk=link.pk)
    entries = _entries(link, most)
    events = _events(most)
    halts = list(Halt.objects.filter(own_presses(), pk__gt=link.halt_pk).order_by("pk")[:most])
    refused = [{"order": int(number), "reason": reason} for number, reason in sorted(link.refused.items())]
    if not (entries or events or halts or refused):
        return None
    orders = _orders({event.host_run_id for event in events if event.host_run_id is not None})
    hosts = [_host(orders[pk]) for pk in sorted(orders) if orders[pk].settled_at is None]
    content = {
        "previous": link.digest,
        "entries": [entry.body for entry in entries],
        "events": [_event(event, orders[event.host_run_id]) for event in events if event.host_run_id in orders],
        "hosts": hosts,
        "refused": refused,
        "halts": [{"run": row.run_id, "reason": row.reason, "halted_as": row.halted_as} for row in halts],
    }
    body = canonical_bytes(content).decode()
    link.number, link.digest = link.number + 1, parcel_digest(link.digest, body)
    link.entry_number = entries[-1].number if entries else link.entry_number
    link.refused = {}
    link.halt_pk = halts[-1].pk if halts else link.halt_pk
    link.save()
    _move_cursors(events)
    return Parcel.objects.create(number=link.number, digest=link.digest, body=body)


def _entries(link: CoreLink, most: int) -> list[Entry]:
    chain = Chain.objects.filter(key=gateway_chain(settings.GUARDIA_GATEWAY)).first()
    rows = Entry.objects.filter(chain=chain, number__gt=link.entry_number) if chain else Entry.objects.none()
    return list(rows.order_by("number")[:most])


def _events(most: int) -> list[RunEvent]:
    """The next ones of each run, in the order of their numbers; orders come with the hosts that they tell of."""
    found: list[RunEvent] = []
    behind = RunPart.objects.raw(
        "SELECT p.* FROM execution_runpart p JOIN execution_eventhead h ON h.run_id = p.run_id"
        " WHERE h.number > p.event_number ORDER BY p.run_id"
    )
    for part in behind:
        rows = RunEvent.objects.filter(run=part.run_id, number__gt=part.event_number).order_by("number")
        found += rows[: most - len(found)]
        if len(found) >= most:
            break
    return found


def _move_cursors(events: list[RunEvent]) -> None:
    for run_pk, number in {event.run_id: event.number for event in events}.items():
        RunPart.objects.filter(run=run_pk).update(event_number=number)


def _orders(host_runs: set[int]) -> dict[int, GatewayOrder]:
    """Host run → its latest order."""
    rows = GatewayOrder.objects.filter(host_run__in=host_runs).order_by("pk")
    return {order.host_run_id: order for order in rows}


def _event(event: RunEvent, order: GatewayOrder) -> dict[str, Any]:
    data = {name: value for name, value in event.data.items() if isinstance(value, str)}
    return {"order": order.pk, "kind": event.kind, "data": data, "at": moment_text(event.created_at)}


def _host(order: GatewayOrder) -> dict[str, Any]:
    """How the host stands in this snapshot, and its steps and logs that were not told yet as they are now."""
    host_run = HostRun.objects.get(pk=order.host_run_id)
    steps = [step for step in host_run.steps.order_by("pk") if order.told.get(str(step.pk)) != step.status]
    order.told |= {str(step.pk): step.status for step in steps}
    facts = ServerFacts.objects.filter(server=host_run.server_id, seen_at__gte=order.given_at).first()
    is_new = facts is not None and order.told.get("facts") != moment_text(facts.seen_at)
    if facts is not None:
        order.told["facts"] = moment_text(facts.seen_at)
    kept = host_run.core_logs.filter(taken_at__gte=order.given_at).order_by("pk")
    logs = [log for log in kept if f"log {log.pk}" not in order.told]
    order.told |= {f"log {log.pk}": "" for log in logs}
    is_settled = _is_settled(host_run)
    order.settled_at = now() if is_settled else None
    order.save(update_fields=["told", "settled_at"])
    return {
        "order": order.pk,
        "status": host_run.status,
        "is_settled": is_settled,
        "saved": host_run.saved,
        "code": host_run.error_code,
        "error": host_run.error,
        "steps": [_step(step) for step in steps],
        "facts": {"named": facts.named, "paths": facts.paths} if facts is not None and is_new else None,
        "logs": [{name: getattr(log, name) for name in ("path", "text", "error")} for log in logs],
    }


def _is_settled(host_run: HostRun) -> bool:
    """An undo that was halted waits again, for another order."""
    is_halted_undo = host_run.status == HostStatus.UNDO_PENDING and host_run.error_code == HALTED_CODE
    return is_halted_undo or host_run.status not in (*HELD, *CLAIMABLE)


def _step(step: StepResult) -> dict[str, Any]:
    columns = ("phase", "order", "attempt", "name", "status", "exit_status", "output", "output_sha256", "error_code")
    table = ResultTable.objects.filter(step=step).first()
    names = ("columns", "rows", "is_complete", "is_masked")
    return {
        **{name: getattr(step, name) for name in columns},
        "started_at": moment_text(step.started_at),
        "finished_at": moment_text(step.finished_at) if step.finished_at else None,
        "table": {name: getattr(table, name) for name in names} if table is not None else None,
    }
