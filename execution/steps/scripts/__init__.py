"""The longer scripts of the steps: constant POSIX shell, one file each, their values as positional parameters.

What is sent, and what approvers read, is the text without comments and blank lines. Only what dash, BusyBox and the
`/bin/sh` of old Unixes know is used (`tests/execution/steps/test_scripts.py` runs them in both).
"""

from collections.abc import Mapping
from pathlib import Path

from execution.steps.ops import Exec, Part, shell


def _sent(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.strip() and not line.lstrip().startswith("#"))


SCRIPTS: Mapping[str, str] = {path.stem: _sent(path) for path in sorted(Path(__file__).parent.glob("*.sh"))}


def scripted(name: str, *args: Part, **options: object) -> Exec:
    """An `exec` of the script `<name>.sh`; options as for `execution.steps.ops.run`."""
    return shell(SCRIPTS[name], *args, **options)
