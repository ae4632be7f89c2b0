"""The output of the step `scan` (`execution/steps/scripts/facts.sh`) as values. Whatever a host says, it gives text."""

from collections.abc import Mapping
from dataclasses import dataclass, field

_NAMES = frozenset(("os", "account", "owner", "process", "selinux", "sudo"))
_LONGEST = 300
_KINDS = ("program", "no program", "folder", "not writable", "no folder", "file", "no file", "missing")


@dataclass(frozen=True, slots=True)
class Facts:
    """`named`: fact → value, `paths`: path → what is there (`_KINDS`). What wasn't said is in neither."""

    named: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)


def parse_facts(output: str) -> Facts:
    """Lines that aren't facts are passed over, and of doubles the first one counts."""
    named: dict[str, str] = {}
    paths: dict[str, str] = {}
    for line in output.splitlines():
        name, is_fact, value = line.partition("=")
        if not is_fact:
            continue
        if name == "path":
            kind = next((kind for kind in _KINDS if value.startswith(f"{kind} /")), "")
            if kind:
                paths.setdefault(value.removeprefix(f"{kind} "), kind)
        elif name in _NAMES:
            named.setdefault(name, _plain(value, 8000 if name == "process" else _LONGEST))
    return Facts(named, paths)


def _plain(value: str, longest: int) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in value[:longest]).strip()
