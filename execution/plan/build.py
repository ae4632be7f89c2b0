"""The document of a plan. Shape (canonical JSON)::

    {format, task, sub_type, playbook: {name, version, digest}, params, artefacts: [{name, sha256, size}],
     waves: [[hostname, …], …], instructions: [a PM's words to do it differently, …] (only where there are some),
     hosts: {hostname: {check: `execution.plan.judge`, address, port, http_port, username, credential,
                        credential_revision, host_keys, profile, profile_revision, tier, group,
                        steps: [`execution.steps.ops.Step`, …], database: `execution.plan.databases`,
                        legacy_ssh: [algorithm, …], via: [a jump host: {hostname, address, port, …}, …]}}}
                        (the last three only where there are some)

Secrets are in it by reference only. It holds nothing that changes by itself (no time, no counter), so that building
it again from unchanged rows gives the same bytes.
"""

from typing import Any

from django.utils.translation import gettext as _

from cmdb.models import Credential, Server
from cmdb.models.inventory import LONGEST_WAY
from execution.exceptions import NoPlaybook, PlanRefused
from execution.models import Playbook
from execution.plan.databases import DATABASE, database_of, seed_of, with_databases
from execution.plan.judge import judge_steps
from execution.plan.waves import Candidate, plan_waves
from execution.playbooks.schema import Definition, parse_playbook
from execution.playbooks.template import UnknownVariable, fill
from execution.steps.library import LIBRARY
from execution.words import step_label
from governance.selectors import instructions_for
from tickets.models import OpsTask

FORMAT = 1
_WAY = tuple("__".join(["jump"] * length + [row]) for length in range(1, 4) for row in ("profile", "credential"))
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
    """The newest published playbook of the task's kind; raises NoPlaybook."""
    playbook = Playbook.objects.filter(sub_type=task.sub_type).order_by("-version").first()
    if playbook is None:
        raise NoPlaybook
    return playbook


def build_document(task: OpsTask, playbook: Playbook) -> dict[str, Any]:
    """Everything that will happen for this task. Raises PlanRefused where something it needs is missing."""
    definition = parse_playbook(playbook.source)
    rows = task.servers.select_related("site", "profile", "credential", "system", *_WAY).order_by("hostname")
    servers = list(with_databases(rows))
    if not servers:
        raise PlanRefused(_("No server is named, so there is nothing to plan."), code="no_servers")
    artefacts = [
        {"name": row.name, "sha256": row.sha256, "size": row.size} for row in task.artefacts.order_by("-pk")[:1]
    ]
    if "artefact" in definition.needs and not artefacts:
        raise PlanRefused(_("This kind of work needs a file."), code="no_artefact")
    waves = plan_waves(
        [Candidate(server.hostname, server.site.tier, server.redundancy_group) for server in servers],
        definition.batches,
    )
    instructions = instructions_for(task)
    return {
        **({"instructions": instructions} if instructions else {}),
        "format": FORMAT,
        "task": task.task_id,
        "sub_type": task.sub_type,
        "playbook": {"name": playbook.name, "version": playbook.version, "digest": playbook.digest},
        "params": task.params,
        "artefacts": artefacts,
        "waves": waves,
        "hosts": {server.hostname: _host(server, definition, task, artefacts) for server in servers},
    }


def _host(server: Server, definition: Definition, task: OpsTask, artefacts: list[dict[str, Any]]) -> dict[str, Any]:
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
    names = variables(server, task, artefacts)
    database = database_of(server, task) if DATABASE in definition.needs else None
    try:
        if database is not None:
            names["database"], names["seed"] = database, seed_of(task, database, artefacts, definition.needs)
        steps = [LIBRARY[call.name](**fill(call.arguments, names)) for call in definition.steps]
    except UnknownVariable as error:
        raise PlanRefused(_("The playbook asks for “%(name)s”, which isn't known.") % {"name": error}) from error
    except (TypeError, ValueError) as error:
        raise PlanRefused(
            _("The request can't be planned: %(reason)s") % {"reason": error}, code="bad_value"
        ) from error
    programs = [names["path"][name] for name in ("startup_script", "shutdown_script")]
    check = judge_steps(steps, home=names["home"], programs=programs)
    if check["verdict"] == "block":
        raise PlanRefused(_refusal(server.hostname, check["found"]), code="command_blocked")
    return {
        "check": check,
        **({"database": database} if database else {}),
        **door_of(server, credential),
        **({"via": [{"hostname": hop.hostname, **door_of(hop, hop.credential)} for hop in way]} if way else {}),
        "http_port": server.http_port,
        "profile": server.profile.name,
        "profile_revision": server.profile.revision,
        "tier": server.site.tier,
        "group": server.redundancy_group,
        "steps": steps,
    }


def _refusal(hostname: str, found: list[dict[str, str]]) -> str:
    worst = next(finding for finding in found if finding["verdict"] == "block")
    return _("The command check refuses a command of step “%(step)s” on %(host)s: %(reason)s") % {
        "step": step_label(worst["step"]),
        "host": hostname,
        "reason": worst["reason"],
    }


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


def variables(server: Server, task: OpsTask, artefacts: list[dict[str, Any]]) -> dict[str, Any]:
    """What a playbook's placeholders may name."""
    profile, home = server.profile, server.home_dir.rstrip("/")
    return {
        "task": task.task_id,
        "home": home,
        "port": server.http_port,
        "params": task.params,
        "artefact": artefacts[0] if artefacts else {},
        "path": {name: f"{home}/{getattr(profile, name).lstrip('/')}" for name in _PROFILE_PATHS},
        "profile": {
            name: getattr(profile, name)
            for name in ("health_path", "log_ready", "log_broken", "free_disk_mib", "stop_seconds", "start_seconds")
        },
    }
