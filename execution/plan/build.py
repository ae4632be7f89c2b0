"""The document of a plan. Shape (canonical JSON)::

    {format, task, sub_type, playbook: {name, version, digest}, params, artefacts: [{name, sha256, size, …}],
     strategy: `execution.playbooks.strategy`, waves: [[hostname, …], …],
     instructions: [a PM's words to do it differently, …] (only where there are some),
     hosts: {hostname: {check: `execution.plan.judge`, address, port, http_port, username, credential,
                        credential_revision, host_keys, logs: [path, …], profile, profile_revision, tier, group,
                        steps: [`execution.steps.ops.Step`, …], database: `execution.plan.databases`,
                        legacy_ssh: [algorithm, …], via: [a jump host: {hostname, address, port, …}, …],
                        balancers: {a balancer's host: {address, port, …}, …},
                        gateway: “MOEF/busan”}}}
                        (the last four only where there are some)

Secrets are in it by reference only. It holds nothing that changes by itself (no time, no counter), so that building
it again from unchanged rows gives the same bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cmdb.choices import GatewayState
from cmdb.models import Credential, Server
from cmdb.models.inventory import LONGEST_WAY
from execution.exceptions import NoPlaybook, PlanRefused
from execution.models import Playbook
from execution.plan.artefacts import facts_of
from execution.plan.balancers import balancer_hosts, balancers_of, with_balancers
from execution.plan.databases import DATABASE, database_of, seed_of, with_databases
from execution.plan.drafts import Drafts
from execution.plan.waves import Candidate, plan_waves
from execution.playbooks.params import ParamInvalid, filled_params
from execution.playbooks.schema import Definition, parse_playbook
from execution.steps.ops import Step
from governance.selectors import instructions_for
from guardia.common.context import remembered
from tickets.models import OpsTask

FORMAT = 1
WAY = tuple("__".join(["jump"] * length + [row]) for length in range(1, 4) for row in ("profile", "credential"))
_SHARED = ("profile", "credential", "system", "site__gateway__institution", *WAY)
_PROFILE_PATHS = (
    "startup_script",
    "shutdown_script",
    "pid_file",
    "log_file",
    "artefact_path",
    "backup_dir",
    "incoming_dir",
)


def playbook_for(task: OpsTask) -> Playbook:
    """The published playbook of the task's kind: the one that its system has chosen, else the newest. Raises
    NoPlaybook."""
    chosen = Playbook.objects.filter(choices__system=task.system_id, choices__sub_type=task.sub_type)
    playbook = chosen.first() or newest_for(task.sub_type)
    if playbook is None:
        raise NoPlaybook
    return playbook


def newest_for(sub_type: str) -> Playbook | None:
    """A page reads it once, an act every time."""
    rows = Playbook.objects.filter(sub_type=sub_type).order_by("-version")
    return remembered(("newest playbook", sub_type), rows.first)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a plan is made for: a task's wish, or a dry run's."""

    task_id: str
    servers: Sequence[Server]
    given: Mapping[str, Any]
    """Parameters by their names, or by the parser's."""
    artefacts: list[dict[str, Any]]
    instructions: list[str] = field(default_factory=list)


def build_document(task: OpsTask, playbook: Playbook) -> dict[str, Any]:
    """Everything that will happen for this task. Raises PlanRefused where something it needs is missing."""
    artefacts = [
        {"name": row.name, "sha256": row.sha256, "size": row.size} for row in task.artefacts.order_by("-pk")[:1]
    ]
    wanted = Wanted(
        task_id=task.task_id,
        servers=planned_servers(task.servers.all()),
        given=task.params,
        artefacts=artefacts,
        instructions=instructions_for(task),
    )
    reference = {"name": playbook.name, "version": playbook.version, "digest": playbook.digest}
    return document_for(wanted, parse_playbook(playbook.source), reference)


def planned_servers(servers: QuerySet[Server]) -> list[Server]:
    """With all that a plan says of them; what many share is fetched once."""
    rows = servers.select_related("facts").prefetch_related(*_SHARED).order_by("hostname")
    return list(with_balancers(with_databases(rows)))


def document_for(wanted: Wanted, definition: Definition, playbook: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a wish of any kind. Raises PlanRefused."""
    if not wanted.servers:
        raise PlanRefused(_("No server is named, so there is nothing to plan."), code="no_servers")
    if set(definition.needs) - {DATABASE} and not wanted.artefacts:
        raise PlanRefused(_("This kind of work needs a file."), code="no_artefact")
    try:
        params = filled_params(definition.params, wanted.given)
    except ParamInvalid as error:
        raise PlanRefused(str(error), code="param_invalid") from error
    artefacts = [{**row, **facts_of(row, definition.needs, params)} for row in wanted.artefacts]
    waves = plan_waves(map(candidate_of, wanted.servers), definition.strategy)
    drafts = Drafts(definition)
    return {
        **({"instructions": wanted.instructions} if wanted.instructions else {}),
        "format": FORMAT,
        "task": wanted.task_id,
        "sub_type": definition.sub_type,
        "playbook": playbook,
        "params": params if definition.params else wanted.given,
        "artefacts": artefacts,
        "strategy": definition.strategy.document(),
        "waves": waves,
        "hosts": {
            server.hostname: _host(server, drafts, _names(server, definition, drafts, wanted, params, artefacts))
            for server in wanted.servers
        },
    }


def candidate_of(server: Server) -> Candidate:
    """A redundancy group is one system's own."""
    group = f"{server.system_id}/{server.redundancy_group}" if server.redundancy_group else ""
    return Candidate(server.hostname, server.site.tier, group)


def _names(
    server: Server, definition: Definition, drafts: Drafts, wanted: Wanted, params: Any, artefacts: list[dict[str, Any]]
) -> dict[str, Any]:
    names = variables(server, wanted.task_id, params, artefacts)
    if "balancers" in drafts.variables:
        names["balancers"] = balancers_of(server)
    if DATABASE in definition.needs:
        names[DATABASE] = database_of(server, wanted.given.get(DATABASE))
        if "artefact" in definition.needs:
            names["seed"] = seed_of(artefacts[0], names[DATABASE], params)
    return names


def _host(server: Server, drafts: Drafts, names: Mapping[str, Any]) -> dict[str, Any]:
    credential = server.credential
    if not server.is_active:
        raise PlanRefused(_("Server %(name)s is not active.") % {"name": server.hostname}, code="server_inactive")
    if credential is None:
        raise PlanRefused(_("Server %(name)s has no credential.") % {"name": server.hostname}, code="no_credential")
    way = server.way()
    if len(way) > LONGEST_WAY:
        raise PlanRefused(
            _("Server %(name)s stands behind too many others.") % {"name": server.hostname}, code="no_way"
        )
    if unfit := next((hop for hop in way if not hop.is_active or hop.credential is None), None):
        raise PlanRefused(
            _("Jump host %(name)s is not active or has no credential.") % {"name": unfit.hostname}, code="no_way"
        )
    steps, check = drafts.of(server, names)
    return {
        "check": check,
        **({DATABASE: names[DATABASE]} if DATABASE in names else {}),
        **door_of(server, credential),
        **_via(server),
        **_balancers(server, steps),
        "http_port": server.http_port,
        "logs": core_logs_of(server),
        "profile": server.profile.name,
        "profile_revision": server.profile.revision,
        "tier": server.site.tier,
        "group": server.redundancy_group,
        **_gateway(server),
        "steps": steps,
    }


def _via(server: Server) -> dict[str, Any]:
    way = [{"hostname": hop.hostname, **door_of(hop, hop.credential)} for hop in server.way()]
    return {"via": way} if way else {}


def _balancers(server: Server, steps: Sequence[Step]) -> dict[str, Any]:
    """The doors of the balancers' hosts that the steps go through."""
    used = {op["on"] for step in steps for op in step["apply"] if op["op"] == "exec" and "on" in op}
    hosts = [host for host in balancer_hosts(server) if host.hostname in used] if used else []
    doors = {host.hostname: {**door_of(host, host.credential), **_via(host)} for host in hosts}
    return {"balancers": doors} if doors else {}


def _gateway(server: Server) -> dict[str, str]:
    """Through which gateway the host is reached, where one stands before its site."""
    gateway = server.site.gateway
    if gateway is None:
        return {}
    if gateway.state != GatewayState.ACTIVE:
        message = _("Server %(name)s is reached by the gateway %(gateway)s, which is not in service.")
        raise PlanRefused(message % {"name": server.hostname, "gateway": gateway}, code="no_gateway")
    return {"gateway": gateway.full_code}


def core_logs_of(server: Server) -> list[str]:
    """The files whose last part is kept where the host fails."""
    home, names = server.home_dir.rstrip("/"), [server.profile.log_file, *server.profile.core_logs]
    return [f"{home}/{name}" for name in dict.fromkeys(names)]


def door_of(server: Server, credential: Credential | None) -> dict[str, Any]:
    """Where a server is logged in to, whom we believe there, and with which credential (by reference)."""
    assert credential is not None, "looked at before"
    return {
        "address": server.address,
        "port": server.ssh_port,
        "username": credential.username,
        "credential": str(credential.pk),
        "credential_revision": credential.revision,
        "host_keys": server.host_keys,
        **({"legacy_ssh": sorted(server.profile.legacy_ssh)} if server.profile.legacy_ssh else {}),
    }


def variables(
    server: Server, task_id: str, params: Mapping[str, Any], artefacts: list[dict[str, Any]]
) -> dict[str, Any]:
    """What a playbook's placeholders may name."""
    profile, home = server.profile, server.home_dir.rstrip("/")
    path = {name: f"{home}/{getattr(profile, name).lstrip('/')}" for name in _PROFILE_PATHS}
    return {
        "task": task_id,
        "home": home,
        "port": server.http_port,
        "params": params,
        "artefact": artefacts[0] if artefacts else {},
        "balancers": [],
        "path": {**path, "log_dir": path["log_file"].rpartition("/")[0]},
        "profile": {
            name: getattr(profile, name)
            for name in ("health_path", "log_ready", "log_broken", "free_disk_mib", "stop_seconds", "start_seconds")
        },
    }
