"""The one function that turns a list of parts into a line for the remote shell. Pure."""

import shlex
from collections.abc import Sequence

from guardia.common.errors import InvalidInput


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
    # A first word like `A=b` would be taken as an assignment, not as a program: quoting the sign prevents that.
    return shlex.join(parts)
