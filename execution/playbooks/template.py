"""Strict templating of step arguments: `${profile.pid_file}`; an unknown name is an error, and nothing is evaluated."""

import re
from collections.abc import Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"\$\{([a-z_]+(?:\.[a-z0-9_]+)*)\}")


class UnknownVariable(LookupError):
    """A placeholder names nothing that this run has."""


def fill(value: Any, names: Mapping[str, Any]) -> Any:
    """`value` with its placeholders filled in, in lists and mappings too. A text that is one placeholder keeps the
    value's type; within a longer text values are written as text."""
    if isinstance(value, Mapping):
        return {key: fill(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, names) for item in value]
    if not isinstance(value, str):
        return value
    whole = _PLACEHOLDER.fullmatch(value)
    if whole:
        return looked_up(whole[1], names)
    return _PLACEHOLDER.sub(lambda match: str(looked_up(match[1], names)), value)


def variables_in(value: Any) -> set[str]:
    """Every name that `value` asks for."""
    if isinstance(value, Mapping):
        return set().union(*(variables_in(item) for item in value.values())) if value else set()
    if isinstance(value, list):
        return set().union(*(variables_in(item) for item in value)) if value else set()
    return set(_PLACEHOLDER.findall(value)) if isinstance(value, str) else set()


def whole_variable(value: Any) -> str:
    """The name, where the value is one placeholder and nothing else; empty otherwise."""
    match = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match else ""


def looked_up(path: str, names: Mapping[str, Any]) -> Any:
    """The value that a placeholder names. Raises UnknownVariable."""
    found: Any = names
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            raise UnknownVariable(path)
        found = found[part]
    return found
