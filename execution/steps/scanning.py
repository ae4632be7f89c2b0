"""The look at a host before anything is done there (`execution.facts`)."""

from typing import Any

from execution.steps.ops import FactsOp, Step, check
from execution.steps.scripts import scripted

_LETTERS = {"program": "x", "folder": "d", "file": "f"}


def scan(*, home: str, pid_file: str, expects: dict[str, Any]) -> Step:
    """The host is what its profile says; a difference warns, stops, or is taken over, as the plan says."""
    asks_sudo = "sudo" if "sudo" in expects["named"] else "-"
    wanted = [f"{_LETTERS[kind]}:{path}" for path, kind in expects["paths"].items()]
    look = scripted("facts", home, pid_file, asks_sudo, *wanted)
    op: FactsOp = {"op": "facts", "argv": look["argv"], "expects": expects, "seconds": 30}
    return check("scan", op)
