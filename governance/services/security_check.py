"""The automatic security check: pure looks at what would run. It never overrules people; it says what it saw.

The content is the plan's (its shape is told in `execution.plan.build`), handed in by the floor above. A look that
can't understand what it is given finds fault with it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypedDict

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cmdb.choices import Tier

Content = Mapping[str, Any]
#: Returns what is wrong, as names of hosts or files; empty when all is well.
Look = Callable[[Content], list[str]]
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Finding(TypedDict):
    """One look: `check` is its name in CHECKS, `told` what is wrong with whom."""

    check: str
    is_good: bool
    told: list[str]


def _hosts_where(content: Content, is_bad: Callable[[Mapping[str, Any]], bool]) -> list[str]:
    return sorted(name for name, host in content.get("hosts", {}).items() if is_bad(host))


def _has_no_key(host: Mapping[str, Any]) -> bool:
    doors = (host, *host.get("via", ()))
    return not all(any(str(key).strip() for key in door.get("host_keys") or []) for door in doors)


def _speaks_the_old_way(host: Mapping[str, Any]) -> bool:
    return any(door.get("legacy_ssh") for door in (host, *host.get("via", ())))


def _has_no_commands(host: Mapping[str, Any]) -> bool:
    steps = host.get("steps") or []
    return not steps or not all(step.get("apply") for step in steps)


def _targets(content: Content) -> list[str]:
    planned = sorted(name for wave in content.get("waves", []) for name in wave)
    return [] if planned and planned == sorted(content.get("hosts", {})) else planned or ["-"]


def _artefacts(content: Content) -> list[str]:
    return [
        str(file.get("name", "-"))
        for file in content.get("artefacts", [])
        if not _SHA256.fullmatch(str(file.get("sha256", ""))) or not file.get("size")
    ]


def _has_commands_to_look_at(host: Mapping[str, Any]) -> bool:
    """Commands that the command check didn't understand or thinks risky; a host without its verdict counts as one."""
    check = host.get("check")
    return not isinstance(check, Mapping) or check.get("verdict") != "allow"


def needs_an_officer(content: Content | None) -> bool:
    """Whether a plan's commands need one more approval than the policy asks for."""
    return content is not None and any(
        isinstance(host.get("check"), Mapping) and _has_commands_to_look_at(host)
        for host in content.get("hosts", {}).values()
    )


#: name → what a reader is told it looked at, and the look
CHECKS: dict[str, tuple[Promise, Look]] = {
    "targets": (_("Every target stands in exactly one wave."), _targets),
    "host_keys": (_("Every target has a pinned host key."), lambda c: _hosts_where(c, _has_no_key)),
    "ssh": (_("No target needs outdated SSH algorithms."), lambda c: _hosts_where(c, _speaks_the_old_way)),
    "tiers": (
        _("Every target's tier is known."),
        lambda c: _hosts_where(c, lambda host: host.get("tier") not in Tier.values),
    ),
    "artefacts": (_("Every file has its SHA-256."), _artefacts),
    "verdicts": (
        _("The command check lets every command through."),
        lambda c: _hosts_where(c, _has_commands_to_look_at),
    ),
    "commands": (_("Every step of every target says what it does."), lambda c: _hosts_where(c, _has_no_commands)),
}
DANGER = "danger"
DANGER_TOLD = _("The request doesn't look dangerous.")


def look_at(content: Content | None, *, is_dangerous: bool) -> list[Finding]:
    """All looks in order, the request's own first. Without a content every look fails."""
    findings = [Finding(check=DANGER, is_good=not is_dangerous, told=[])]
    for name, (_told, look) in CHECKS.items():
        wrong = ["-"] if content is None else look(content)
        findings.append(Finding(check=name, is_good=not wrong, told=wrong[:20]))
    return findings


def is_clean(findings: list[Finding]) -> bool:
    return all(finding["is_good"] for finding in findings)


def told_of(check: str) -> Promise | str:
    """The words for a look, for people."""
    return DANGER_TOLD if check == DANGER else CHECKS[check][0] if check in CHECKS else check
