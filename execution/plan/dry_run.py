"""A plan that nobody approves and nothing runs: every command for every host. It looks at no host."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import QuerySet

from cmdb.models import Server
from execution.plan.build import Wanted, document_for, planned_servers
from execution.plan.render import commands_of
from execution.playbooks.schema import Definition
from tickets.services.store_artefact import store_artefact

TASK = "OPS-00000000-000"


@dataclass(frozen=True, slots=True)
class DryStep:
    name: str
    commands: list[str]
    undo: list[str]


def dry_run(
    definition: Definition, servers: QuerySet[Server], given: Mapping[str, Any], file: Path | None = None
) -> dict[str, Any]:
    """The document that a task with these parameters would get. Raises PlanRefused."""
    artefacts = []
    if file is not None:
        stored = store_artefact(SimpleUploadedFile(file.name, file.read_bytes()))
        artefacts = [{"name": stored.name, "sha256": stored.sha256, "size": stored.size}]
    reference = {"name": definition.name, "version": definition.version, "digest": ""}
    return document_for(Wanted(TASK, planned_servers(servers), given, artefacts), definition, reference)


def dry_steps(host: Mapping[str, Any]) -> list[DryStep]:
    return [DryStep(step["name"], commands_of(step["apply"]), commands_of(step["undo"])) for step in host["steps"]]
