"""Says which part of a plan changed, for people who approved another one."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_PARTS: dict[str, Promise] = {
    "playbook": _("playbook"),
    "params": _("parameters"),
    "artefacts": _("artefact"),
    "waves": _("waves"),
    "instructions": _("instructions"),
}


def changed_parts(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Names of the parts that differ: playbook, parameters, artefact, waves, and the hosts by name."""
    parts = [str(label) for key, label in _PARTS.items() if before.get(key) != after.get(key)]
    hosts = sorted(set(before["hosts"]) | set(after["hosts"]))
    return parts + [name for name in hosts if before["hosts"].get(name) != after["hosts"].get(name)]
