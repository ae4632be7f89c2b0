"""The gate's doors: for those whom everything allows, the way to a host with its credentials opened.

This is the only place where a credential is opened. Many hosts of a run are asked for in one go: they cost as many
questions to the database as one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audit.services.record import Draft, record_across
from cmdb.addresses import is_allowed_address
from cmdb.models import Credential, Server
from cmdb.vault import unseal
from execution.exceptions import GateClosed
from execution.gate.admission import refusal_beside, refusals_of
from execution.models import HostRun, Run
from execution.ssh.target import Hop, Secret, Target
from guardia.common.errors import GuardiaError

Admission = list[Hop] | GuardiaError


@dataclass(frozen=True, slots=True)
class Visit:
    """A worker wants a line to the host it holds by `claim`, or to the balancer's host `on` beside it; `spec`: the
    host's part of the plan."""

    host_run: HostRun
    claim: str
    spec: Mapping[str, Any]
    on: str = ""

    def doors(self) -> list["Door"]:
        """On the way, the last one its end."""
        return doors_of(self.host_run.server, self.spec, self.on)


@dataclass(frozen=True, slots=True)
class Door:
    """One log-in of a plan (`execution.plan.build.door_of`) for the work on `server`, at the host that is named."""

    server: Server
    hostname: str
    door: Mapping[str, Any]


def doors_of(server: Server, spec: Mapping[str, Any], on: str = "") -> list[Door]:
    """The log-ins to a planned host, or to the balancer's host `on` beside it; its own is the last."""
    end = spec["balancers"][on] if on else spec
    return [
        *(Door(server, door["hostname"], door) for door in end.get("via", ())),
        Door(server, on or server.hostname, end),
    ]


def admit(run: Run, visits: Sequence[Visit]) -> list[Admission]:
    """For each visit the log-ins on its way, its end last, or why not: GateClosed, or an error of the vault."""
    refusals: list[GuardiaError | None] = []
    refusals += refusals_of(run.pk, [(visit.host_run, visit.claim) for visit in visits])
    for place, visit in enumerate(visits):
        refusals[place] = refusals[place] or (refusal_beside(visit.on, run) if visit.on else None)
    asked = [visit.doors() if refusal is None else [] for visit, refusal in zip(visits, refusals, strict=True)]
    return [refusal or opened for refusal, opened in zip(refusals, open_doors(asked, run.task.task_id), strict=True)]


def open_doors(ways: Sequence[Sequence[Door]], task_id: str = "") -> list[Admission]:
    """For each way its log-ins; the error of the first that can't be had, and then none of them is opened."""
    closed = [next(filter(None, (address_refusal(door.door["address"]) for door in way)), None) for way in ways]
    wanted = {door.door["credential"] for way in ways for door in way}
    credentials = {str(credential.pk): credential for credential in Credential.objects.filter(pk__in=wanted)}
    allowed = [
        refusal is None and all(_is_planned(credentials.get(door.door["credential"]), door) for door in way)
        for way, refusal in zip(ways, closed, strict=True)
    ]
    uses = [door for way, is_allowed in zip(ways, allowed, strict=True) if is_allowed for door in way]
    if uses:
        _record_uses([(credentials[door.door["credential"]], door) for door in uses], task_id)
    return [
        _opened(way, credentials) if is_allowed else refusal or GateClosed(code="credential_changed")
        for way, is_allowed, refusal in zip(ways, allowed, closed, strict=True)
    ]


def address_refusal(address: str) -> GateClosed | None:
    """Whatever the inventory or a plan says: nothing is connected to but where servers may be."""
    if is_allowed_address(address):
        return None
    text = _("%(address)s is no address that a server may have (GUARDIA_SERVER_NETWORKS).") % {"address": address[:64]}
    return GateClosed(text, code="address_refused")


def _is_planned(credential: Credential | None, door: Door) -> bool:
    return credential is not None and credential.revision == door.door["credential_revision"]


def _opened(way: Sequence[Door], credentials: Mapping[str, Credential]) -> Admission:
    try:
        return [_hop(door, credentials[door.door["credential"]]) for door in way]
    except GuardiaError as error:
        return error


def _hop(door: Door, credential: Credential) -> Hop:
    planned = door.door
    target = Target(
        hostname=door.hostname,
        address=planned["address"],
        port=planned["port"],
        username=planned["username"],
        host_keys=tuple(planned["host_keys"]),
        legacy=tuple(planned.get("legacy_ssh", ())),
    )
    return Hop(target, Secret(kind=credential.kind, value=unseal(credential)))  # type: ignore[arg-type]  # constraint


@transaction.atomic
def _record_uses(uses: Sequence[tuple[Credential, Door]], task_id: str) -> None:
    """Committed before the secrets are opened: who can't be told of doesn't get one."""
    record_across(
        (
            door.server.system.institution,
            Draft(
                action="credential.used",
                actor="guardia-worker" if task_id else "guardia",
                subject=credential,
                task_id=task_id,
                facts={
                    "system": door.server.system.code,
                    "server": door.server.hostname,
                    "door": door.hostname,
                    "revision": credential.revision,
                },
            ),
        )
        for credential, door in uses
    )
