"""The one function that turns a list of parts into a line for the remote shell. Pure."""

import re
import shlex
from collections.abc import Sequence

from guardia.common.errors import InvalidInput

_PLAIN = re.compile(r"[A-Za-z0-9_./+-]+")
_RESERVED = frozenset(
    ("!", "{", "}", "case", "coproc", "do", "done", "elif", "else", "esac", "fi",
     "for", "function", "if", "in", "select", "then", "time", "until", "while")
)  # fmt: skip


def render(argv: Sequence[str]) -> str:
    """Quote the parts for a POSIX shell, so that they arrive at the program exactly as given.

    Newlines are kept (quoted). Raises InvalidInput for no parts, an empty program name, a part with a NUL
    (no program can receive one), one that isn't UTF-8 text, or a bare string (a shell line in disguise).
    """
    if isinstance(argv, str | bytes):
        raise InvalidInput(code="command_not_a_list")
    parts = list(argv)
    if not parts or not parts[0]:
        raise InvalidInput(code="command_empty")
    for part in parts:
        if not isinstance(part, str) or "\0" in part:
            raise InvalidInput(code="command_part_invalid")
        try:
            part.encode("utf-8")
        except UnicodeEncodeError as error:  # lone surrogates
            raise InvalidInput(code="command_part_invalid") from error
    return " ".join([_program(parts[0]), *map(shlex.quote, parts[1:])])


def render_in_shell(argv: Sequence[str]) -> str:
    """The same for a shell that waits for lines: a script of `sh -c SCRIPT NAME WORDS…` is run by that shell itself.

    `eval` reads it as `sh -c` would and keeps what may be wrong with it to itself. Raises as `render`.
    """
    line = render(argv)
    if len(argv) < 4 or list(argv[:2]) != ["sh", "-c"]:
        return line
    return f"set -- {' '.join(map(shlex.quote, argv[4:]))}; eval {shlex.quote(argv[2])}"


def _program(name: str) -> str:
    """The first word, quoted also where the shell would see an assignment (`A=b`), a job (`%1`) or a reserved word."""
    if _PLAIN.fullmatch(name) and name not in _RESERVED:
        return name
    quoted = shlex.quote(name)
    return f"'{name}'" if quoted == name else quoted
