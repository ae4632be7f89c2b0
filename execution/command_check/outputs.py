"""What a command prints, where that is certain enough to judge by."""

import re
from collections.abc import Sequence

from execution.command_check.context import STAR, TAME, is_static
from execution.command_check.do_search import roots_of

#: They print one tame word, or several.
_TAME = frozenset(
    [
        "hostname",
        "whoami",
        "nproc",
        "pgrep",
        "pidof",
        "wc",
        "basename",
        "uname",
        "seq",
        "id",
        "logname",
        "arch",
        "tty",
        "jps",
    ]
)
_TABLES = frozenset(
    [
        "ps",
        "jps",
        "ss",
        "netstat",
        "df",
        "free",
        "uptime",
        "docker",
        "kubectl",
        "pgrep",
        "lsof",
        "date",
        "hostname",
        "echo",
    ]
)
_FILTERS = frozenset(["grep", "egrep", "head", "tail", "sort", "uniq", "tr", "cut", "awk", "sed", "wc", "rev"])


def output_of(*commands: Sequence[str]) -> str | None:
    """The text that stands for the output of a pipe; None where it isn't known."""
    first, last = commands[0], commands[-1]
    if len(commands) == 1:
        return _output_of_one(first)
    if last[0] == "wc" or (last[0] in ("grep", "egrep") and "-c" in last):
        return TAME
    if all(command[0] in _FILTERS for command in commands[1:]):
        if first[0] in _TABLES:
            return TAME
        if first[0] in ("ls", "find") and all(
            command[0] in ("grep", "head", "tail", "sort") for command in commands[1:]
        ):
            return _listed(first)
        if first[0] == "cat" and len(first) == 2 and first[1].endswith(".pid"):
            return TAME
    return None


def _output_of_one(argv: Sequence[str]) -> str | None:
    name = argv[0]
    if name in ("echo", "print"):
        words = [word for word in argv[1:] if word not in ("-n", "-e", "-ne", "-en")]
        return (
            _unescaped(" ".join(words))
            if any(word.startswith("-") and "e" in word for word in argv[1:2])
            else " ".join(words)
        )
    if name == "printf" and len(argv) > 1 and is_static(argv[1]):
        return _printed(argv[1], argv[2:])
    if name == "date":
        return TAME if not any("/" in word for word in argv[1:]) else None
    if name in _TAME or (name in ("grep", "egrep", "pgrep") and "-c" in argv) or (name == "lsof" and "-t" in argv):
        return TAME
    if name == "cat" and len(argv) == 2 and argv[1].endswith(".pid"):
        return TAME
    return _listed(argv) if name in ("ls", "find") else None


def _listed(argv: Sequence[str]) -> str:
    """Names below a folder (`find`), the names themselves, or one name without a folder (`ls`)."""
    roots = roots_of(argv, "")
    if argv[0] == "find":
        return " ".join(f"{root.rstrip('/')}/{STAR}x" for root in roots)
    return " ".join(root if re.search(r"[\x01\x02\x03]", root) else f"{TAME}" for root in roots)


def _printed(template: str, values: Sequence[str]) -> str | None:
    text = _unescaped(template)
    for value in values:
        text = re.sub(r"%[sbd]", lambda _match, value=value: value, text, count=1)  # type: ignore[misc]  # mypy knows no default of a lambda
    return None if "%" in text else text


def _unescaped(text: str) -> str:
    def value(match: re.Match[str]) -> str:
        hexadecimal, octal, letter = match.groups()
        if hexadecimal:
            return chr(int(hexadecimal, 16))
        return chr(int(octal, 8) & 0xFF) if octal else {"n": "\n", "t": "\t", "\\": "\\"}.get(letter, letter)

    return re.sub(r"\\(?:x([0-9a-fA-F]{1,2})|0?([0-7]{1,3})|(.))", value, text, flags=re.DOTALL)
