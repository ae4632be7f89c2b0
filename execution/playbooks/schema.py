"""Reads a playbook's YAML into a `Definition`, or says what is wrong with it and on which line."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from cmdb.choices import Tier
from execution.playbooks.calls import VARIABLES, StepCall, step_calls
from execution.playbooks.lines import Path, Source
from execution.playbooks.params import KINDS, Param, ParamInvalid, seconds_of
from execution.playbooks.strategy import BY, GATES, SCOPES, Strategy, parse_size
from execution.playbooks.template import variables_in
from tickets.choices import SubType

#: What a task must bring: any file; a ZIP of static files; a certificate with its chain (PEM). And its
#: servers: a database in the CMDB.
NEEDS = ("artefact", "archive", "certificate", "database")
_REQUIRED = {"name", "version", "sub_type", "needs", "strategy", "steps"}
_KEYS = _REQUIRED | {"label", "params"}
_PARAM_KEYS = {
    "type", "label", "help", "required", "default", "pattern", "min", "max", "choices", "under", "from",
}  # fmt: skip
_STRATEGY_KEYS = {"by", "batches", "groups", "tier", "tolerate", "bake", "gate", "rollback"}
_TOLERATE = ({"wave", "run"}, {"wave", "run"})
_LONGEST_BAKE = 7 * 86_400
_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
_PARAM_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True)
class Definition:
    """A checked playbook. `needs`: see NEEDS."""

    name: str
    version: int
    sub_type: str
    needs: tuple[str, ...]
    strategy: Strategy
    steps: tuple[StepCall, ...]
    params: tuple[Param, ...] = ()
    label: Mapping[str, str] = field(default_factory=dict)


def parse_playbook(text: str) -> Definition:
    """Raises PlaybookInvalid with the line of what is wrong."""
    source = Source(text)
    data = _mapping(source, (), source.data, _REQUIRED, _KEYS)
    if not isinstance(data["name"], str) or not _NAME.fullmatch(data["name"]):
        raise source.error(("name",), _("a name has small letters, digits and dashes, 64 at most."))
    version = data["version"]
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= 1_000_000:
        raise source.error(("version",), _("a version is a whole number from 1."))
    if data["sub_type"] not in SubType.values:
        raise source.error(("sub_type",), _("“%(value)s” is no sub-type.") % {"value": data["sub_type"]})
    params = _params(source, data.get("params", {}))
    return Definition(
        name=data["name"],
        version=version,
        sub_type=data["sub_type"],
        needs=_needs(source, data["needs"]),
        strategy=parse_strategy(source, ("strategy",), data["strategy"]),
        steps=step_calls(source, data["steps"], {param.name: KINDS[param.kind] for param in params}),
        params=params,
        label=_texts(source, ("label",), data.get("label", {})),
    )


def _mapping(source: Source, path: Path, value: Any, required: set[str], known: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise source.error(path, _("keys and values are needed here."))
    for key in value:
        if key not in known:
            raise source.error(
                (*path, key),
                _("“%(key)s” isn't known here; known are: %(known)s.")
                % {"key": key, "known": ", ".join(sorted(known))},
            )
    if missing := sorted(required - set(value)):
        raise source.error(path, _("“%(key)s” is missing.") % {"key": missing[0]})
    return value


def _needs(source: Source, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise source.error(("needs",), _("a list is needed here."))
    for place, need in enumerate(value):
        if need not in NEEDS:
            raise source.error(
                ("needs", place), _("“%(need)s” is none of: %(known)s.") % {"need": need, "known": ", ".join(NEEDS)}
            )
    return tuple(value)


def parse_strategy(source: Source, path: Path, value: Any) -> Strategy:
    """A strategy block. Raises PlaybookInvalid with the line of what is wrong."""
    spec = _mapping(source, path, value, set(), _STRATEGY_KEYS)
    by = _one_of(source, (*path, "by"), spec.get("by", "hosts"), BY)
    wanted = {"hosts": {"batches"}, "tier": {"batches"}, "groups": {"groups"}, "pairs": set()}[by]
    allowed = wanted | ({"tier"} if by == "tier" else set())
    if missing := sorted(wanted - set(spec)):
        raise source.error(path, _("“%(key)s” is missing.") % {"key": missing[0]})
    for key in sorted({"batches", "groups", "tier"} & set(spec) - allowed):
        raise source.error((*path, key), _("“%(key)s” doesn't go with “by: %(by)s”.") % {"key": key, "by": by})
    tolerate = _mapping(source, (*path, "tolerate"), spec.get("tolerate", {"wave": 0, "run": 0}), *_TOLERATE)
    return Strategy(
        batches=_batches(source, (*path, "batches"), spec["batches"]) if "batches" in spec else (),
        by=by,
        groups=_within(source, (*path, "groups"), spec.get("groups", 0), 1, 1000) if "groups" in spec else 0,
        tier=_within(source, (*path, "tier"), spec.get("tier", 0), min(Tier), max(Tier)) if "tier" in spec else 0,
        tolerate_wave=_size(source, (*path, "tolerate", "wave"), tolerate["wave"], least=0),
        tolerate_run=_size(source, (*path, "tolerate", "run"), tolerate["run"], least=0),
        bake=_bake(source, (*path, "bake"), spec.get("bake", 0)),
        gate=_one_of(source, (*path, "gate"), spec.get("gate", "automatic"), GATES),
        rollback=_one_of(source, (*path, "rollback"), spec.get("rollback", "wave"), SCOPES),
    )


def _batches(source: Source, path: Path, value: Any) -> tuple[str, ...]:
    """A list of sizes, or a text with commas between them."""
    sizes = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if not isinstance(sizes, list) or not sizes:
        raise source.error(path, _("a pace has at least one batch."))
    return tuple(_size(source, (*path, place), size) for place, size in enumerate(sizes))


def _size(source: Source, path: Path, value: Any, *, least: int = 1) -> str:
    try:
        parse_size(str(value), least=least)
    except ValueError as error:
        raise source.error(
            path, _("“%(batch)s” is neither a number of hosts nor a share.") % {"batch": value}
        ) from error
    return str(value)


def _bake(source: Source, path: Path, value: Any) -> int:
    try:
        seconds = seconds_of(value)
    except ValueError as error:
        raise source.error(path, _("“%(value)s” is no duration.") % {"value": value}) from error
    return _within(source, path, seconds, 0, _LONGEST_BAKE)


def _within(source: Source, path: Path, value: Any, least: int, most: int) -> int:
    number: int = _typed(source, path, value, int)
    if not least <= number <= most:
        bounds = f"{least}–{most}"
        raise source.error(path, _("“%(value)s” is out of bounds (%(bounds)s).") % {"value": value, "bounds": bounds})
    return number


def _one_of(source: Source, path: Path, value: Any, known: Sequence[str]) -> str:
    if value not in known:
        raise source.error(path, _("“%(kind)s” is none of: %(known)s.") % {"kind": value, "known": ", ".join(known)})
    return str(value)


def _params(source: Source, value: Any) -> tuple[Param, ...]:
    if not isinstance(value, dict):
        raise source.error(("params",), _("keys and values are needed here."))
    return tuple(_param(source, name, spec) for name, spec in value.items())


def _param(source: Source, name: str, value: Any) -> Param:
    path: Path = ("params", name)
    if not _PARAM_NAME.fullmatch(name):
        raise source.error(path, _("a parameter's name has small letters, digits and underscores."))
    spec = _mapping(source, path, value, {"type", "label"}, _PARAM_KEYS)
    _one_of(source, (*path, "type"), spec["type"], list(KINDS))
    param = Param(
        name=name,
        kind=spec["type"],
        label=_texts(source, (*path, "label"), spec["label"]),
        help=_texts(source, (*path, "help"), spec.get("help", {})),
        required=_typed(source, (*path, "required"), spec.get("required", "default" not in spec), bool),
        default=spec.get("default"),
        pattern=_pattern(source, (*path, "pattern"), spec.get("pattern", "")),
        limits=(_limit(source, path, spec, "min"), _limit(source, path, spec, "max")),
        choices=_choices(source, path, spec),
        under=tuple(_typed(source, (*path, "under"), spec.get("under", []), list)),
        source=_typed(source, (*path, "from"), spec.get("from", ""), str),
    )
    unknown = sorted(name for name in variables_in(param.default) if name not in VARIABLES)
    if unknown:
        raise source.error((*path, "default"), _("“%(name)s” is not known.") % {"name": unknown[0]})
    if param.default is not None and param.default != "" and not variables_in(param.default):
        try:
            param.checked(param.default)
        except ParamInvalid as error:
            raise source.error((*path, "default"), str(error)) from error
    return param


def _typed(source: Source, path: Path, value: Any, kind: type) -> Any:
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise source.error(path, _("“%(value)s” is of the wrong type.") % {"value": value})
    return value


def _limit(source: Source, path: Path, spec: Mapping[str, Any], key: str) -> int | None:
    return _typed(source, (*path, key), spec[key], int) if key in spec else None


def _pattern(source: Source, path: Path, value: Any) -> str:
    text = str(_typed(source, path, value, str))
    try:
        re.compile(text)
    except re.error as error:
        raise source.error(path, _("this is no regular expression.")) from error
    return text


def _texts(source: Source, path: Path, value: Any) -> dict[str, str]:
    """{ko: …, en: …}: what people read, in both languages."""
    if not value and path[-1] != "label":
        return {}
    if value == {} and path == ("label",):
        return {}
    texts = _mapping(source, path, value, {"ko", "en"}, {"ko", "en"})
    return {key: str(_typed(source, (*path, key), text, str)) for key, text in texts.items()}


def _choices(source: Source, path: Path, spec: Mapping[str, Any]) -> dict[str, Mapping[str, str]] | None:
    if spec["type"] != "choice":
        if "choices" in spec:
            raise source.error((*path, "choices"), _("only a choice has choices."))
        return None
    value = spec.get("choices")
    if not isinstance(value, dict) or not value:
        raise source.error((*path, "choices"), _("a choice needs choices, each with its texts."))
    return {key: _texts(source, (*path, "choices", key), texts) for key, texts in value.items()}
