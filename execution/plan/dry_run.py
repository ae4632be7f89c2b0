"""A plan that nobody approves and nothing runs: every command for every host. It looks at no host."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cmdb.models import Server
from execution.models import Playbook, PlaybookChoice
from execution.plan.build import Wanted, document_for, newest_for
from execution.plan.compare import PartChange, differences
from execution.plan.render import commands_of
from execution.playbooks.schema import Definition, parse_playbook
from guardia.common.errors import GuardiaError
from tickets.models import Artefact
from tickets.services.store_artefact import StoredFile

TASK = "OPS-00000000-000"


@dataclass(slots=True)
class Beside:
    """A version that serves `servers` now, and what differs from it; `problem`: why that can't be told."""

    playbook: Playbook
    servers: list[Server]
    changes: list[PartChange] = field(default_factory=list)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DryStep:
    name: str
    commands: list[str]
    undo: list[str]


def dry_run(
    definition: Definition,
    servers: Sequence[Server],
    given: Mapping[str, Any],
    artefact: StoredFile | Artefact | None = None,
) -> dict[str, Any]:
    """The document that a task with these parameters, and this file, would get for these `planned_servers`. Raises
    PlanRefused."""
    artefacts = [{"name": artefact.name, "sha256": artefact.sha256, "size": artefact.size}] if artefact else []
    reference = {"name": definition.name, "version": definition.version, "digest": ""}
    return document_for(Wanted(TASK, servers, given, artefacts), definition, reference)


def beside_what_serves(
    definition: Definition,
    servers: Sequence[Server],
    given: Mapping[str, Any],
    artefact: StoredFile | Artefact | None = None,
) -> list[Beside]:
    """What differs from each version that does this kind of work on some of them now. Parameters that it doesn't know
    aren't given to it."""
    found = []
    for playbook, its_servers in _serving(servers, definition.sub_type):
        former = parse_playbook(playbook.source)
        if former == definition:
            continue
        known = {param.name for param in former.params}
        row = Beside(playbook, its_servers)
        try:
            before = dry_run(former, its_servers, {name: given[name] for name in given if name in known}, artefact)
            row.changes = _together(differences(before, dry_run(definition, its_servers, given, artefact)))
        except GuardiaError as error:
            row.problem = str(error)
        found.append(row)
    return found


def _serving(servers: Sequence[Server], sub_type: str) -> list[tuple[Playbook, list[Server]]]:
    rows = PlaybookChoice.objects.filter(system__in={server.system_id for server in servers}, sub_type=sub_type)
    chosen = {row.system_id: row.playbook for row in rows.select_related("playbook")}
    found: dict[Playbook, list[Server]] = {}
    for server in servers:
        playbook = chosen.get(server.system_id) or newest_for(sub_type)
        if playbook is not None:
            chosen[server.system_id] = playbook
            found.setdefault(playbook, []).append(server)
    return list(found.items())


def _together(changes: list[PartChange]) -> list[PartChange]:
    """Servers of which the same is told, in one."""
    found: dict[str, PartChange] = {}
    for change in changes:
        key = repr((change.kind, change.differences if change.hostname else change.title))
        if change.hostname and key in found:
            change = replace(change, hostname=f"{found[key].hostname}, {change.hostname}")
        found[key] = change
    return list(found.values())


def dry_steps(host: Mapping[str, Any]) -> list[DryStep]:
    return [DryStep(step["name"], commands_of(step["apply"]), commands_of(step["undo"])) for step in host["steps"]]
