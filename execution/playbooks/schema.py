"""Reads a playbook's YAML into a `Definition`, or says what is wrong with it and where."""

from dataclasses import dataclass
from typing import Any

import yaml
from django.utils.translation import gettext as _

from execution.exceptions import PlaybookInvalid
from execution.playbooks.pace import parse_batches
from execution.steps.library import problem_with
from tickets.choices import SubType

_KEYS = {"name", "version", "sub_type", "needs", "strategy", "steps"}
_SIZE_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class StepCall:
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Definition:
    """A checked playbook. `needs` may hold "artefact"; `batches` is the pace (`execution.plan.waves`)."""

    name: str
    version: int
    sub_type: str
    needs: tuple[str, ...]
    batches: tuple[str, ...]
    steps: tuple[StepCall, ...]


def parse_playbook(source: str) -> Definition:
    """Raises PlaybookInvalid with the line of a syntax error, or the key or step that is wrong."""
    if len(source) > _SIZE_LIMIT:
        raise PlaybookInvalid(_("The playbook is too large."))
    try:
        data = yaml.safe_load(source)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise PlaybookInvalid(_("Line %(line)s is not YAML.") % {"line": line}) from error
    if not isinstance(data, dict) or set(data) != _KEYS:
        raise PlaybookInvalid(_("A playbook has exactly the keys %(keys)s.") % {"keys": ", ".join(sorted(_KEYS))})
    try:
        batches = tuple(str(batch) for batch in data["strategy"]["batches"])
        parse_batches(batches)
        definition = Definition(
            name=str(data["name"]),
            version=int(data["version"]),
            sub_type=SubType(data["sub_type"]).value,
            needs=tuple(str(need) for need in data["needs"]),
            batches=batches,
            steps=tuple(_step(item) for item in data["steps"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PlaybookInvalid(_("The playbook is not valid: %(error)s") % {"error": error}) from error
    if not definition.steps:
        raise PlaybookInvalid(_("A playbook has at least one step."))
    return definition


def _step(item: Any) -> StepCall:
    if not isinstance(item, dict) or len(item) != 1:
        raise ValueError("each step is one name with its arguments")
    name, arguments = next(iter(item.items()))
    arguments = arguments or {}
    if not isinstance(arguments, dict):
        raise ValueError(f"step “{name}” takes named arguments")
    problem = problem_with(str(name), arguments)
    if problem:
        raise ValueError(problem)
    return StepCall(str(name), arguments)
