"""What a gateway takes from the core: kept in its own rows, under the core's keys, before anything is begun."""

import base64
import hashlib
import json
import logging
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from accounts.models import Institution, User
from audit.services import record
from cmdb.models import Credential, EnvironmentProfile, Server, Site, System
from cmdb.vault import seal
from execution.choices import CLAIMABLE, HELD, HostStatus, Phase, RunStatus
from execution.exceptions import GateClosed
from execution.gate.orders import check_signature
from execution.gateways.giving import doors_of, files_of
from execution.gateways.home import own_keys
from execution.gateways.messages import FORMAT, credential_bound
from execution.models import (
    CoreLink,
    EventHead,
    GatewayOrder,
    HostLock,
    HostRun,
    Plan,
    Playbook,
    Run,
    RunPart,
    StepResult,
    Wave,
)
from execution.rollout.abandon import put_down
from guardia.common.agreement import open_for
from guardia.common.clock import now
from guardia.common.queue import enqueue
from tickets.choices import Channel, TaskStatus
from tickets.models import OpsTask
from tickets.models.artefact import stored_path

logger = logging.getLogger(__name__)
ACTOR = "core"
#: Where a host stands when its order is taken.
_BEGINS = {"APPLY": "PENDING", "CHECK": "CHECK_PENDING", "UNDO": "UNDO_PENDING"}


@transaction.atomic
def keep_part(answer: dict[str, Any]) -> Run:
    """Keep the gateway's part of a run's plan, and the credentials for it, sealed anew by this home's own vault.

    Raises GateClosed where the core didn't sign it, it is another gateway's, or names a site that isn't ours.
    """
    text, signature = str(answer["document"]), str(answer["signature"])
    content = json.loads(text)
    check_signature(hashlib.sha256(text.encode()).hexdigest(), signature)
    sites = {server["site"][1] for server in content["servers"].values()}
    strange = sites - set(link().sites)
    if content["format"] != FORMAT or strange or content["servers"].keys() != content["hosts"].keys():
        raise GateClosed(f"a part for sites that aren't ours: {sorted(strange)}", code="other_site")
    institution = _put(Institution, content["institution"][0], **_named(content["institution"]))
    _keep_servers(institution, content)
    _keep_credentials(institution, content, answer["credentials"])
    run = _keep_run(institution, content, text)
    RunPart.objects.update_or_create(run=run, defaults={"signature": signature})
    record(
        action="gateway.part_taken",
        actor=ACTOR,
        institution=institution,
        subject=run,
        task_id=run.task.task_id,
        plan_digest=content["plan_digest"],
        part_digest=run.plan.digest,
        hosts=sorted(content["hosts"]),
    )
    return run


@transaction.atomic
def keep_order(said: dict[str, Any]) -> None:
    """From here on the host is the gateway's to carry on with; the same order twice is one."""
    if GatewayOrder.objects.filter(pk=said["order"]).exists():
        return
    run = Run.objects.select_related("plan", "task__institution").get(pk=said["run"])
    phase = Phase(said["phase"])
    if said["hostname"] not in run.plan.content["hosts"]:
        raise GateClosed("an order for a host that isn't in the part", code="other_host")
    server = Server.objects.get(hostname=said["hostname"])
    wave, begins = _wave(run, said["wave"]), HostStatus(_BEGINS[phase])
    host_run = HostRun.objects.select_for_update(of=("self",), no_key=True).filter(pk=said["host_run"]).first()
    if host_run is None:
        host_run = HostRun.objects.create(
            pk=said["host_run"], wave=wave, server=server, status=begins, saved=said["saved"]
        )
        StepResult.objects.bulk_create(StepResult(host_run=host_run, **step) for step in said["steps"])
    elif host_run.status in HELD:
        raise GateClosed("an order for a host that is being worked on", code="host_held")
    HostRun.objects.filter(pk=host_run.pk).update(
        status=begins,
        stays_drained=said["stays_drained"] is True,
        claim="",
        lease_until=None,
        error_code="",
        error="",
        finished_at=None,
    )
    Run.objects.filter(pk=run.pk).update(status=RunStatus(said["status"]), finished_at=None)
    HostLock.objects.update_or_create(server=server, defaults={"run": run})
    GatewayOrder.objects.create(pk=said["order"], host_run=host_run, phase=phase)
    record(
        action="gateway.order_taken",
        actor=ACTOR,
        institution=run.task.institution,
        subject=host_run,
        task_id=run.task.task_id,
        server=server.hostname,
        order=said["order"],
        phase=phase,
    )
    enqueue("execution.tasks.drive_run", run.pk)


@transaction.atomic
def drop_orders(numbers: list[int]) -> None:
    """People at the core have taken these hosts back: whoever works on one here stops behind the command that it is at.
    What it had told until then is spooled still."""
    for order in GatewayOrder.objects.filter(pk__in=numbers, settled_at=None).order_by("pk"):
        host_run = HostRun.objects.select_for_update(of=("self",), no_key=True).get(pk=order.host_run_id)
        if host_run.status in (*HELD, *CLAIMABLE):
            put_down(host_run, "taken_back", "taken back at the core")
        GatewayOrder.objects.filter(pk=order.pk).update(settled_at=now())
        record(
            action="gateway.order_dropped",
            actor=ACTOR,
            institution=host_run.wave.run.task.institution,
            subject=host_run,
            task_id=host_run.wave.run.task.task_id,
            server=host_run.server.hostname,
            order=order.pk,
        )


@transaction.atomic
def refuse_order(number: int, reason: str) -> None:
    """The core hears of it with the next parcel: the host fails without having been touched."""
    row = CoreLink.objects.select_for_update().get(pk=link().pk)
    if str(number) not in row.refused:
        row.refused[str(number)] = reason[:500]
        row.save(update_fields=["refused"])
        record(action="gateway.order_refused", actor="guardia", institution=None, summary=reason, order=number)


def link() -> CoreLink:
    """The one row of what the core last said."""
    return CoreLink.objects.get_or_create(pk=1)[0]


def lacks(content: dict[str, Any]) -> dict[str, int]:
    """The files of a part that aren't in the store yet: digest → size."""
    return {found: size for found, size in files_of(content).items() if not stored_path(found).exists()}


def open_runs() -> list[int]:
    return list(Run.objects.filter(finished_at=None).order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def close_runs(living: list[int]) -> None:
    """Runs that are over at the core are over here: servers are free, credentials and files are gone."""
    over = Run.objects.filter(finished_at=None).exclude(pk__in=living)
    pks = list(over.values_list("pk", flat=True))
    if not pks:
        return
    HostLock.objects.filter(run__in=pks).delete()
    Run.objects.filter(pk__in=pks).update(finished_at=now(), status=RunStatus.SUCCEEDED, reason="over at the core")
    forget_secrets(keep_needed=True)


def forget_secrets(*, keep_needed: bool) -> None:
    """Delete every credential, and the files, that no run under way needs (or all of them)."""
    parts = RunPart.objects.filter(run__finished_at=None).select_related("run__plan") if keep_needed else ()
    contents = [part.run.plan.content for part in parts]
    needed = {
        door["credential"] for content in contents for host in content["hosts"].values() for door in doors_of(host)
    }
    files = {found for content in contents for found in files_of(content)}
    Credential.objects.exclude(pk__in=needed).delete()
    for path in settings.GUARDIA_ARTEFACTS.glob("??/*"):
        if path.name.partition(".")[0] not in files:
            path.unlink(missing_ok=True)


def _wave(run: Run, pk: int) -> Wave:
    """Under the core's key; its place in the run is the core's business."""
    last = run.waves.aggregate(last=Max("number"))["last"] or 0
    return Wave.objects.get_or_create(pk=pk, defaults={"run": run, "number": last + 1, "is_open": True})[0]


def _keep_servers(institution: Institution, content: dict[str, Any]) -> None:
    profile, _is_new = EnvironmentProfile.objects.get_or_create(institution=institution, name="core")
    for hostname, said in content["servers"].items():
        (site_pk, site_code, tier), spec = said["site"], content["hosts"][hostname]
        site = _put(Site, site_pk, institution=institution, code=site_code, name=site_code, tier=tier)
        system = _put(System, said["system"][0], institution=institution, **_named(said["system"]))
        _put(
            Server,
            said["pk"],
            hostname=hostname,
            system=system,
            site=site,
            profile=profile,
            role="was",
            address=spec["address"],
            home_dir="/",
        )


def _keep_credentials(institution: Institution, content: dict[str, Any], sealed: list[dict[str, Any]]) -> None:
    """Only what the part names: nothing else is kept, whatever came."""
    needed = {door["credential"] for host in content["hosts"].values() for door in doors_of(host)}
    key = own_keys().seal
    for said in sealed:
        pk, revision = str(said["credential"]), int(said["revision"])
        bound = credential_bound(settings.GUARDIA_GATEWAY, pk, revision)
        secret = open_for(key, base64.b64decode(said["sealed"]), bound)
        if pk not in needed or secret is None:
            raise GateClosed("a credential that isn't for this gateway", code="other_credential")
        row = Credential(
            pk=pk,
            institution=institution,
            name=said["name"],
            kind=said["kind"],
            username=said["username"],
            revision=revision,
        )
        seal(row, secret.decode())
        row.save()


def _keep_run(institution: Institution, content: dict[str, Any], text: str) -> Run:
    task_pk, task_id, category, sub_type = content["task"]
    task = OpsTask.objects.filter(pk=task_pk).first() or OpsTask.objects.create(
        pk=task_pk,
        task_id=task_id,
        institution=institution,
        requester=_stand_in(),
        channel=Channel.API,
        text=task_id,
        category=category,
        sub_type=sub_type,
        status=TaskStatus.EXECUTING,
    )
    named = content["playbook"]
    playbook, _is_new = Playbook.objects.get_or_create(
        name=named["name"],
        version=named["version"],
        defaults={"sub_type": sub_type, "source": "", "digest": named["digest"]},
    )
    own = {"document": text, "playbook": playbook}
    digest = hashlib.sha256(text.encode()).hexdigest()
    plan, _is_new = Plan.objects.get_or_create(task=task, digest=digest, defaults=own)
    run = Run.objects.filter(pk=content["run"]).first()
    if run is None:
        run = Run.objects.create(pk=content["run"], task=task, plan=plan)
        EventHead.objects.create(run=run)
    elif run.plan_id != plan.pk:
        Run.objects.filter(pk=run.pk).update(plan=plan)
    return Run.objects.select_related("plan", "task").get(pk=run.pk)


def _stand_in() -> User:
    """Tasks need a requester; here it is nobody who could log in."""
    user, is_new = User.objects.get_or_create(username="core", defaults={"is_active": False})
    if is_new:
        user.set_unusable_password()
        user.save()
    return user


def _named(said: list[Any]) -> dict[str, Any]:
    return {"code": said[1], "name": said[2]}


def _put(model: Any, pk: int, **values: Any) -> Any:
    return model.objects.update_or_create(pk=pk, defaults=values)[0]
