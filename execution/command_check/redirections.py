"""Where a command's input comes from and its output goes."""

import re

from execution.command_check.context import Context, Stdin
from execution.command_check.hosts import check_server
from execution.command_check.paths import check_output, check_read

_WRITES = frozenset((">", ">>", ">|", "&>", "&>>"))


def redirect(context: Context, operator: str, target: str, *, is_trivial: bool, is_bare: bool = False) -> Stdin | None:
    """Judge one redirection; the new standard input where it gives one. `is_bare`: no command reads it, so that a channel is
    opened and closed, as one does to see whether a port answers."""
    probed = re.fullmatch(r"/dev/tcp/([\w.-]+)/(\d+)", target)
    if is_bare and operator == "<" and probed:
        check_server(context, probed[1])
        return None
    if target.startswith(("/dev/tcp/", "/dev/udp/")):
        context.block("opens a channel to another host")
        return None
    if operator in _WRITES or (operator == ">&" and not _is_descriptor(target)):
        check_output(context, target, is_trivial=is_trivial and ">>" not in operator)
        return None
    if operator == "<":
        if target != "/dev/null":
            check_read(context, target)
        return Stdin(text="") if target == "/dev/null" else Stdin(files=(target,), is_piped=True)
    if not (operator in (">&", "<&") and _is_descriptor(target)):
        context.escalate(f"a redirection that isn't understood: {operator}")
    return None


def _is_descriptor(target: str) -> bool:
    return target in ("1", "2", "-")
