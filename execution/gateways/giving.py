"""What the core gives to a gateway: orders for hosts of its sites, its part of the run's plan, credentials, bytes."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from accounts.models import User
from audit.services import record
from cmdb.models import Credential, Gateway, Server
from cmdb.vault import unseal
from execution.choices import CLAIMABLE, HELD, HaltScope, Phase, RunStatus
from execution.exceptions import GateClosed
from execution.gate.admission import approved_content, check_change
from execution.gate.halts import refuse_halted
from execution.gate.integrity import check_integrity
from execution.gateways.home import core_key
from execution.gateways.messages import FORMAT, credential_bound, part_bytes
from execution.halts.press import halt
from execution.live.events import append_event, hosts_settled
from execution.models import GatewayOrder, HostLock, HostRun, Run
from execution.rollout.claims import FREE
from execution.rollout.locks import lock_run
from guardia.common.agreement import seal_for
from guardia.common.canonical import canonical_bytes
from guardia.common.clock import now
from guardia.common.errors import NotVisible, StaleState
from guardia.common.queue import enqueue
from guardia.common.signing import sign
from tickets.choices import TaskStatus

ACTOR = "guardia"
_AT_ONCE = 200
#: What may be given → the transition by which it is.
_TAKEN_BY = {"PENDING": "take", "CHECK_PENDING": "take_check", "UNDO_PENDING": "take_undo"}
#: A gateway's hold has no end by the clock: only what it tells, or its revocation, ends it.
_FOR_EVER = timedelta(days=36_500)


def give_orders(gateway: Gateway) -> None:
    """Make orders of everything that may begin now on the gateway's hosts. Nothing for one with an alarm."""
    if not gateway.is_in_service:
        return
    waiting = HostRun.objects.filter(_of(gateway), FREE, wave__is_open=True)
    living = Run.objects.filter(status__in=[RunStatus.RUNNING, RunStatus.ROLLING_BACK])
    for pk in living.filter(waves__host_runs__in=waiting).order_by("pk").distinct().values_list("pk", flat=True):
        _give(gateway, pk)


@transaction.atomic
def _give(gateway: Gateway, run_pk: int) -> None:
    """Under the gateway's lock, as `taking`: whoever revokes it either finds these orders or prevents them."""
    if not Gateway.objects.select_for_update(of=("self",), no_key=True).get(pk=gateway.pk).is_in_service:
        return
    run = lock_run(run_pk)
    rows = HostRun.objects.select_for_update(of=("self",), no_key=True).select_related("server", "wave")
    hosts = list(rows.filter(_of(gateway), FREE, wave__run=run, wave__is_open=True).order_by("pk"))
    try:
        _check(run, hosts)
    except GateClosed:
        return  # whoever drives the run finds the same and says so
    for host_run in hosts[:_AT_ONCE]:
        phase = host_run.phase
        order = GatewayOrder.objects.create(gateway=gateway, host_run=host_run, phase=phase)
        getattr(host_run, _TAKEN_BY[host_run.status])()
        host_run.claim, host_run.lease_until = order.claim, Now() + _FOR_EVER  # type: ignore[assignment]  # the stubs know no arithmetic of expressions
        host_run.save(update_fields=["status", "claim", "lease_until", "started_at"])
        hostname = host_run.server.hostname
        append_event(run, "host_given", host_run, host=hostname, status=host_run.status, gateway=gateway.name)
        record(
            action="gateway.order_given",
            actor=ACTOR,
            institution=run.task.institution,
            subject=gateway,
            task_id=run.task.task_id,
            server=hostname,
            order=order.pk,
            phase=phase,
            plan_digest=run.plan.digest,
        )


def _check(run: Run, hosts: list[HostRun]) -> None:
    """What the gate asks before a connection, asked before the orders; the gateway's own gate asks again there."""
    refuse_halted(run, Phase.UNDO if run.status == RunStatus.ROLLING_BACK else Phase.APPLY)
    if not run.is_living or run.task.status != TaskStatus.EXECUTING:
        raise GateClosed(code="run_ended")
    approved_content(run.plan)
    check_change(run.task, run.diff_digest)
    if run.status == RunStatus.RUNNING:
        check_integrity(run.task.institution)
    if HostLock.objects.filter(server__in=[host.server_id for host in hosts], run=run).count() < len(hosts):
        raise GateClosed(code="host_locked")


def open_orders(gateway: Gateway) -> QuerySet[GatewayOrder]:
    rows = GatewayOrder.objects.filter(gateway=gateway, settled_at=None)
    return rows.select_related("host_run__wave__run__task", "host_run__server").order_by("pk")


def order_document(order: GatewayOrder) -> dict[str, Any]:
    """Where the host stands as the core knows it: a gateway that doesn't know it begins from there."""
    host_run = order.host_run
    columns = ("phase", "order", "attempt", "name", "status", "error_code")
    return {
        "order": order.pk,
        "run": host_run.wave.run_id,
        "wave": host_run.wave_id,
        "host_run": host_run.pk,
        "hostname": host_run.server.hostname,
        "phase": order.phase,
        "status": host_run.wave.run.status,
        "saved": host_run.saved,
        "stays_drained": host_run.stays_drained,
        "steps": list(host_run.steps.order_by("pk").values(*columns)),
    }


def part_document(gateway: Gateway, run_pk: int) -> dict[str, Any]:
    """The gateway's part of a run's plan, signed, with the credentials of its hosts sealed for its key alone.

    Raises NotVisible for a run without an open order of this gateway.
    """
    if not open_orders(gateway).filter(host_run__wave__run=run_pk).exists():
        raise NotVisible
    run = Run.objects.select_related("plan__playbook", "task__institution").get(pk=run_pk)
    document = canonical_bytes(_part(gateway, run)).decode()
    keys = sorted(
        {str(door["credential"]) for host in json.loads(document)["hosts"].values() for door in doors_of(host)}
    )
    credentials = list(Credential.objects.filter(pk__in=keys, institution=gateway.institution_id))
    with transaction.atomic():
        record(
            action="gateway.part_given",
            actor=ACTOR,
            institution=gateway.institution,
            subject=gateway,
            task_id=run.task.task_id,
            plan_digest=run.plan.digest,
            credentials=sorted(f"{row.name} r{row.revision}" for row in credentials),
        )
    return {
        "document": document,
        "signature": sign(core_key(), part_bytes(gateway.full_code, hashlib.sha256(document.encode()).hexdigest())),
        "credentials": [_sealed(gateway, row) for row in credentials],
    }


def doors_of(host: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Everything of a planned host that names a credential."""
    for end in (host, *host.get("balancers", {}).values()):
        yield end
        yield from end.get("via", ())
    if host.get("database", {}).get("credential"):
        yield host["database"]


def files_of(content: dict[str, Any]) -> dict[str, int]:
    """The stored files that a part needs: digest → size."""
    files: dict[str, int] = {}
    for artefact in content["artefacts"]:
        files[artefact["sha256"]] = artefact["size"]
        if "tree_sha256" in artefact:
            files[artefact["tree_sha256"]] = artefact["tree_size"]
    return files


def wanted_files(gateway: Gateway) -> set[str]:
    """Digests that this gateway may ask for: those of the runs in which it has an open order."""
    runs = Run.objects.filter(waves__host_runs__orders__in=open_orders(gateway)).select_related("plan").distinct()
    return {digest for run in runs for digest in files_of(run.plan.content)}


def lose_orders(gateway: Gateway, actor: User) -> None:
    """What a revoked gateway holds is uncertain; runs with hosts on its sites are halted, so that people look."""
    runs = Run.objects.filter(finished_at=None).filter(
        Q(waves__host_runs__orders__in=open_orders(gateway))
        | Q(waves__host_runs__server__site__gateway=gateway, waves__host_runs__status__in=CLAIMABLE)
    )
    for pk in list(runs.order_by("pk").distinct().values_list("pk", flat=True)):
        with suppress(StaleState):  # somebody has pressed already
            halt(actor=str(actor), scope=HaltScope.RUN, run_pk=pk, reason=f"gateway {gateway.code} was revoked")
        _lose(gateway, pk)
        enqueue("execution.tasks.drive_run", pk)


@transaction.atomic
def _lose(gateway: Gateway, run_pk: int) -> None:
    why = f"its gateway {gateway.code} was revoked while it worked on it"
    lose_open_orders(gateway, lock_run(run_pk), "gateway_revoked", why)


def lose_open_orders(gateway: Gateway, run: Run, code: str, why: str) -> list[HostRun]:
    """End the gateway's orders in a locked run: what became of the hosts, nobody knows. Gives those that it held."""
    lost: list[HostRun] = []
    for order in open_orders(gateway).filter(host_run__wave__run=run):
        rows = HostRun.objects.select_for_update(of=("self",), no_key=True).select_related("server")
        host_run = rows.get(pk=order.host_run_id)
        GatewayOrder.objects.filter(pk=order.pk).update(settled_at=now())
        if host_run.claim != order.claim or host_run.status not in HELD:
            continue
        lose = host_run.lose if order.phase in (Phase.APPLY, Phase.UNDO) else host_run.fail
        lose(code, why)
        host_run.save()
        lost.append(host_run)
    hosts_settled(run, lost)
    return lost


def _of(gateway: Gateway) -> Q:
    return Q(server__site__gateway=gateway)


def _part(gateway: Gateway, run: Run) -> dict[str, Any]:
    content, task = run.plan.content, run.task
    rows = HostRun.objects.filter(_of(gateway), wave__run=run).select_related("server__site", "server__system")
    servers = {host_run.server.hostname: host_run.server for host_run in rows}
    return {
        "format": FORMAT,
        "gateway": gateway.full_code,
        "run": run.pk,
        "plan": run.plan_id,
        "plan_digest": run.plan.digest,
        "task": [task.pk, task.task_id, task.category, task.sub_type],
        "institution": [gateway.institution_id, gateway.institution.code, gateway.institution.name],
        "playbook": content["playbook"],
        "artefacts": content["artefacts"],
        "hosts": {name: content["hosts"][name] for name in servers},
        "servers": {name: _server(server) for name, server in servers.items()},
    }


def _server(server: Server) -> dict[str, Any]:
    site, system = server.site, server.system
    return {"pk": server.pk, "site": [site.pk, site.code, site.tier], "system": [system.pk, system.code, system.name]}


def _sealed(gateway: Gateway, row: Credential) -> dict[str, Any]:
    bound = credential_bound(gateway.full_code, str(row.pk), row.revision)
    sealed = seal_for(gateway.seal_key, unseal(row).encode(), bound)
    return {
        "credential": str(row.pk),
        "revision": row.revision,
        "name": row.name,
        "kind": row.kind,
        "username": row.username,
        "sealed": base64.b64encode(sealed).decode(),
    }
