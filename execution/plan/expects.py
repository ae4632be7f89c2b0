"""What the plan expects a host to be like: the profile's words, and the paths that the plan's own steps go to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cmdb.choices import OnDrift
from cmdb.models import Server
from execution.models import ServerFacts
from execution.steps.ops import Step

_PROGRAMS = ("startup_script", "shutdown_script")
_FOLDERS = ("backup_dir", "incoming_dir")


def expects_of(steps: Sequence[Step], server: Server, paths: Mapping[str, str]) -> dict[str, Any]:
    """What is to be found there before the steps are begun; empty where the profile has nothing to be looked at."""
    if server.profile.on_drift == OnDrift.IGNORE:
        return {}
    used = set(_texts(steps))
    expected = {paths[name]: "program" for name in _PROGRAMS if paths[name] in used} | {
        paths[name]: "folder" for name in _FOLDERS if any(text.startswith(f"{paths[name]}/") for text in used)
    }
    named = expected_of(server)
    return {"named": named, "paths": expected, "on_drift": server.profile.on_drift} if named or expected else {}


def expected_of(server: Server) -> dict[str, str]:
    """The profile's words; of what was taken over on this server since they were written, that."""
    profile = server.profile
    said = {
        "os": profile.os_text,
        "process": profile.process_text,
        "owner": profile.service_account,
        "selinux": profile.selinux,
        "sudo": profile.sudo,
    }
    facts: ServerFacts | None = getattr(server, "facts", None)
    taken = facts.adapted if facts is not None and facts.profile_revision == profile.revision else {}
    return {name: taken.get(name, text) for name, text in said.items() if text}


def _texts(steps: Sequence[Step]) -> Iterator[str]:
    ops: Iterator[Mapping[str, Any]] = (op for step in steps for op in (*step["apply"], *step["undo"]))
    for op in ops:
        yield from (part for part in (*op.get("argv", ()), op.get("path")) if isinstance(part, str))
