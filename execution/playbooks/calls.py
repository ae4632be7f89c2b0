"""The steps of a playbook: each a known name with the arguments it takes, of the right type, from known variables."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_origin, get_type_hints

from django.utils.translation import gettext as _

from execution.playbooks.lines import Path, Source
from execution.playbooks.template import variables_in, whole_variable
from execution.steps.library import LIBRARY

#: What placeholders may name beside the parameters, with the type of the value (`execution.plan.build.variables`).
VARIABLES: Mapping[str, type] = {
    "task": str,
    "home": str,
    "port": int,
    **{f"artefact.{name}": str for name in ("name", "sha256", "tree_sha256", "certificate_sha256")},
    **{f"artefact.{name}": int for name in ("size", "tree_size")},
    **{
        f"path.{name}": str
        for name in (
            "startup_script", "shutdown_script", "pid_file", "log_file", "log_dir",
            "artefact_path", "backup_dir", "incoming_dir",
        )
    },
    "balancers": list,
    "database": dict,
    "seed.columns": list,
    "seed.rows": int,
    **{f"profile.{name}": str for name in ("health_path", "log_ready", "log_broken")},
    **{f"profile.{name}": int for name in ("free_disk_mib", "stop_seconds", "start_seconds")},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StepCall:
    name: str
    arguments: dict[str, Any]


def step_calls(source: Source, value: Any, params: Mapping[str, type]) -> tuple[StepCall, ...]:
    """Checked calls; `params` are the playbook's own parameters with their types. Raises PlaybookInvalid."""
    if not isinstance(value, list) or not value:
        raise source.error(("steps",), _("a playbook has at least one step."))
    known = {**VARIABLES, **{f"params.{name}": kind for name, kind in params.items()}}
    return tuple(_call(source, ("steps", place), item, known) for place, item in enumerate(value))


def _call(source: Source, path: Path, item: Any, known: Mapping[str, type]) -> StepCall:
    if not isinstance(item, dict) or len(item) != 1:
        raise source.error(path, _("a step is one name with its arguments."))
    ((name, arguments),) = item.items()
    path = (*path, name)
    if name not in LIBRARY:
        raise source.error(path, _("there is no step “%(name)s”.") % {"name": name})
    arguments = {} if arguments is None else arguments
    if not isinstance(arguments, dict):
        raise source.error(path, _("step “%(name)s” takes named arguments.") % {"name": name})
    signature, hints = inspect.signature(LIBRARY[name]).parameters, _hints(name)
    for key in arguments:
        if key not in signature:
            raise source.error((*path, key), _("step “%(name)s” takes no “%(key)s”.") % {"name": name, "key": key})
        _check_value(source, (*path, key), arguments[key], hints[key], known)
    for key, parameter in signature.items():
        if parameter.default is parameter.empty and key not in arguments:
            raise source.error(path, _("step “%(name)s” needs “%(key)s”.") % {"name": name, "key": key})
    return StepCall(name, arguments)


def _check_value(source: Source, path: Path, value: Any, hint: Any, known: Mapping[str, type]) -> None:
    for at, leaf in _leaves(path, value):
        for variable in sorted(variables_in(leaf)):
            if variable not in known:
                raise source.error(at, _("“%(name)s” is not known.") % {"name": variable})
    whole = whole_variable(value)
    if not fits(known[whole]() if whole else value, hint):
        raise source.error(path, _("“%(value)s” is of the wrong type.") % {"value": value})


def _leaves(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _leaves((*path, key), item)
    else:
        yield path, value


def fits(value: Any, hint: Any) -> bool:
    """Whether a step takes this value for an argument of this type: str, int, bool, or a list of texts."""
    if get_origin(hint) in (list, Sequence):
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if not isinstance(hint, type):
        return True
    return isinstance(value, hint) and (hint is bool or not isinstance(value, bool))


def misfits(name: str, arguments: Mapping[str, Any]) -> list[str]:
    """Names of filled-in arguments that are of the wrong type after all."""
    hints = _hints(name)
    return [key for key, value in arguments.items() if not fits(value, hints[key])]


@cache
def _hints(name: str) -> Mapping[str, Any]:
    return get_type_hints(LIBRARY[name])
