"""What the shell does by itself: where it stands, what it reads in, what it says."""

from collections.abc import Sequence

from execution.command_check import do_run
from execution.command_check.context import WILD, Context, is_static
from execution.command_check.paths import absolute


def change_place(context: Context, argv: Sequence[str]) -> None:
    """`cd`: relative names mean something else from here on."""
    operands = [word for word in argv[1:] if word not in ("-P", "-L", "--")]
    if len(operands) != 1 or not is_static(operands[0].replace("\x04", "")) or operands[0] == "-":
        context.cwd = f"/{WILD}"
    else:
        context.cwd = (
            absolute(context, operands[0]) if operands[0].startswith("/") or context.cwd else f"./{operands[0]}"
        )
        if context.cwd.startswith("./"):
            inside = absolute(context, operands[0])
            context.cwd = f"/{WILD}" if inside.startswith("..") else ""


def push_place(context: Context, argv: Sequence[str]) -> None:
    change_place(context, ["cd", *(argv[1:] if argv[0] == "pushd" else ["-"])])


def source(context: Context, argv: Sequence[str]) -> None:
    """Settings of a known script, or of a log-in; everything else is hidden code."""
    word = argv[1] if len(argv) == 2 else WILD
    if word in ("\x0f/.bash_profile", "\x0f/.profile", "\x0f/.bashrc", "/etc/profile"):
        return
    path = absolute(context, word)
    if WILD in path or "\x04" in path or path.startswith(("/dev", "/tmp", "/proc")):
        context.block("runs what it can't be known")
    do_run.program(context, [word])


def printf(context: Context, argv: Sequence[str]) -> None:
    if any(word.startswith("-v") for word in argv[1:2]):
        context.block("sets a variable by its name")
    elif any("$(" in word or "`" in word for word in argv[1:]):
        context.escalate("text that looks like a command")


def history(context: Context, argv: Sequence[str]) -> None:
    if argv[1:] and not argv[1].isdigit():
        context.block("changes the history")


def echo(_context: Context, _argv: Sequence[str]) -> None:
    """Whatever stands there, even a line of dashes, is its text."""


HANDLERS = {
    "cd": change_place, "pushd": push_place, "popd": push_place, "source": source, ".": source, "printf": printf,
    "history": history, "fc": history, "echo": echo,
}  # fmt: skip
