"""Says what changed in a plan, for people who approved another one. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from execution.plan.render import commands_of
from execution.words import step_label
from guardia.common.canonical import canonical_bytes

_PARTS: dict[str, Promise] = {
    "playbook": _("playbook"),
    "params": _("parameters"),
    "artefacts": _("artefact"),
    "strategy": _("strategy"),
    "waves": _("waves"),
    "instructions": _("instructions"),
}
_FIELDS: dict[str, Promise] = {
    "format": _("plan format"),
    "task": _("task"),
    "sub_type": _("sub-type"),
    "name": _("name"),
    "version": _("version"),
    "digest": _("digest"),
    "sha256": _("SHA-256"),
    "size": _("size in bytes"),
    "tree_sha256": _("SHA-256 of the unpacked tree"),
    "tree_size": _("size of the unpacked tree"),
    "files": _("number of files"),
    "certificate_sha256": _("SHA-256 of the certificate"),
    "certificate_names": _("names of the certificate"),
    "certificate_until": _("certificate valid until"),
    "by": _("rolled out by"),
    "batches": _("batches"),
    "groups": _("number of groups"),
    "tolerate": _("failures tolerated"),
    "bake": _("bake time (s)"),
    "gate": _("gate between waves"),
    "rollback": _("what is rolled back"),
    "address": _("address"),
    "port": _("SSH port"),
    "http_port": _("service port"),
    "username": _("login name"),
    "credential": _("credential"),
    "credential_revision": _("credential revision"),
    "host_keys": _("pinned host keys"),
    "logs": _("core logs"),
    "legacy_ssh": _("outdated SSH algorithms"),
    "via": _("jump hosts"),
    "balancers": _("balancers' hosts"),
    "gateway": _("gateway"),
    "profile": _("environment profile"),
    "profile_revision": _("profile revision"),
    "tier": _("tier"),
    "group": _("redundancy group"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs; an empty list stands for what wasn't there, or isn't any more. One line per item.

    `is_fine`: the small print of a step (expectations, time, probes), where its commands are told beside it.
    """

    label: str
    before: list[str]
    after: list[str]
    is_fine: bool = False


@dataclass(frozen=True, slots=True)
class PartChange:
    """What differs in one part: `kind` is CHANGED, ADDED or REMOVED; `hostname` is empty for the plan's own parts."""

    title: str
    kind: str
    hostname: str = ""
    differences: list[Difference] = field(default_factory=list)


def changed_parts(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Names of the parts that differ: playbook, parameters, artefact, waves, and the hosts by name."""
    parts = [str(label) for key, label in _PARTS.items() if before.get(key) != after.get(key)]
    hosts = sorted(set(before["hosts"]) | set(after["hosts"]))
    return parts + [name for name in hosts if before["hosts"].get(name) != after["hosts"].get(name)]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[PartChange]:
    """Every field that differs, and nothing that doesn't: the plan's parts in order, then the hosts by name.

    Two documents without a difference here are equal.
    """
    changes = [*_plan_changes(before, after)]
    for name in sorted({*before["hosts"], *after["hosts"]}):
        old, new = before["hosts"].get(name), after["hosts"].get(name)
        if old == new:
            continue
        kind = "ADDED" if old is None else "REMOVED" if new is None else "CHANGED"
        found = [*_host_differences(old, new)] if kind == "CHANGED" else []
        changes.append(PartChange(name, kind, name, found))
    return changes


def _plan_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[PartChange]:
    own = [key for key in {**before, **after} if key not in (*_PARTS, "hosts")]
    if plain := [*_fields(_pick(before, own), _pick(after, own))]:
        yield PartChange(str(_("plan")), "CHANGED", differences=plain)
    for key, title in _PARTS.items():
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if key == "artefacts":
            found = [*_fields(_first(old), _first(new))] or [_difference(title, old, new)]
        elif key == "waves":
            found = [_difference(_("order"), _wave_lines(old), _wave_lines(new))]
        else:
            found = [*_fields(old or {}, new or {})]
        yield PartChange(str(title), "CHANGED", differences=found)


def _pick(values: Mapping[str, Any], keys: list[str]) -> dict[str, Any]:
    return {key: values[key] for key in keys if key in values}


def _first(artefacts: list[dict[str, Any]] | None) -> dict[str, Any]:
    """A plan has at most one artefact."""
    return artefacts[0] if artefacts else {}


def _wave_lines(waves: list[list[str]] | None) -> list[str]:
    return [f"{number}. {', '.join(names)}" for number, names in enumerate(waves or [], start=1)]


def _fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for key in {**before, **after}:
        if before.get(key) != after.get(key) or (key in before) != (key in after):
            yield _difference(_FIELDS.get(key, key), before.get(key), after.get(key))


def _difference(label: str | Promise, before: Any, after: Any) -> Difference:
    return Difference(str(label), _lines(before), _lines(after))


def _lines(value: Any) -> list[str]:
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    return [_text(item) if isinstance(item, dict) else str(item) for item in items]


def _host_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    plain = [key for key in {**before, **after} if key != "steps"]
    yield from _fields(_pick(before, plain), _pick(after, plain))
    yield from _step_differences(before.get("steps") or [], after.get("steps") or [])


def _step_differences(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Iterator[Difference]:
    """Steps beside each other: the commands that differ, and then the conditions (expectations, time, probes)."""
    for place, old, new in _beside(before, after):
        label = f"{place + 1}. {step_label((new or old or {}).get('name', ''))}"
        for is_fine, lines in ((False, _step_lines), (True, _step_conditions)):
            old_lines, new_lines = lines(old), lines(new)
            if old_lines != new_lines:
                yield Difference(label, *_only_different(old_lines, new_lines), is_fine=is_fine)


def _beside(before: list[Any], after: list[Any]) -> Iterator[tuple[int, Any, Any]]:
    """Each step with the one at its place on the other side. Where some came or went, the others are found by their
    names; None stands for what isn't there."""
    if len(before) == len(after):
        yield from ((place, *pair) for place, pair in enumerate(zip(before, after, strict=True)))
        return
    old_names, new_names = ([step["name"] for step in steps] for steps in (before, after))
    ways = SequenceMatcher(None, old_names, new_names, autojunk=False).get_opcodes()
    for _tag, start, end, first, last in ways:
        for at in range(max(end - start, last - first)):
            old = before[start + at] if start + at < end else None
            new = after[first + at] if first + at < last else None
            yield (first if new is not None else start) + at, old, new


def _only_different(before: list[str], after: list[str]) -> tuple[list[str], list[str]]:
    """The lines to take away and to add to get from one side to the other."""
    ways = [way for way in SequenceMatcher(None, before, after, autojunk=False).get_opcodes() if way[0] != "equal"]
    gone = [line for _tag, start, end, _from, _to in ways for line in before[start:end]]
    come = [line for _tag, _start, _end, start, end in ways for line in after[start:end]]
    return gone, come


def _step_lines(step: dict[str, Any] | None) -> list[str]:
    if step is None:
        return []
    undo = [f"↶ {line}" for line in commands_of(step.get("undo") or [])]
    return [step["name"], *commands_of(step.get("apply") or []), *undo]


def _step_conditions(step: dict[str, Any] | None) -> list[str]:
    """What the commands don't show: everything else of a step, one line per key or operation."""
    if step is None:
        return []
    ops = [{**op, "argv": None} for key in ("apply", "undo") for op in step.get(key) or []]
    rest = {key: value for key, value in step.items() if key not in ("name", "apply", "undo")}
    values = [{key: value for key, value in op.items() if value is not None} for op in ops]
    return [_text(value) for value in values] + [f"{key}: {_text(value)}" for key, value in sorted(rest.items())]


def _text(value: Any) -> str:
    return canonical_bytes(value).decode()
