"""A plan that nobody approves and nothing runs: every command for every host. It looks at no host."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cmdb.models import Server
from execution.models import Playbook, PlaybookChoice
from execution.plan.build import Wanted, document_for, newest_for
from execution.plan.render import commands_of
from execution.playbooks.schema import Definition
from tickets.models import Artefact
from tickets.services.store_artefact import StoredFile

TASK = "OPS-00000000-000"


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


def serving(servers: Sequence[Server], sub_type: str) -> list[tuple[Playbook, list[Server]]]:
    """What does this kind of work on them now: each version with its servers."""
    rows = PlaybookChoice.objects.filter(system__in={server.system_id for server in servers}, sub_type=sub_type)
    chosen, newest = {row.system_id: row.playbook for row in rows.select_related("playbook")}, newest_for(sub_type)
    found: dict[Playbook, list[Server]] = {}
    for server in servers:
        playbook = chosen.get(server.system_id, newest)
        if playbook is not None:
            found.setdefault(playbook, []).append(server)
    return list(found.items())


def dry_steps(host: Mapping[str, Any]) -> list[DryStep]:
    return [DryStep(step["name"], commands_of(step["apply"]), commands_of(step["undo"])) for step in host["steps"]]
