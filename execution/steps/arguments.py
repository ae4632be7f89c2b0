"""What arguments of steps must look like. Each function gives the value back or raises BadArgument."""

import ipaddress
import re
from collections.abc import Sequence

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HTTP_PATH = re.compile(r"/[!-~]{0,2047}")
_CRON_FIELD = re.compile(r"[0-9A-Za-z*/,-]{1,64}")
_CRON_NAMES = frozenset(("@reboot", "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"))
_LONGEST = 4096


class BadArgument(ValueError):
    """A step can't be made from this value."""


def absolute(path: str) -> str:
    """An absolute path without “..” and control characters, which begins nowhere with a dash."""
    if not path.startswith("/") or len(path) > _LONGEST or ".." in path.split("/") or not path.isprintable():
        raise BadArgument(f"“{path[:80]}” is not an absolute path")
    return path.rstrip("/") or "/"


def word(value: str) -> str:
    """A name of letters, digits, dots, dashes and underscores, 64 at most."""
    if not _WORD.fullmatch(value):
        raise BadArgument(f"“{value[:80]}” is not a plain name")
    return value


def http_path(value: str) -> str:
    """What a request asks for: one word of visible ASCII from a slash on, so that it can't become another request."""
    if not _HTTP_PATH.fullmatch(value):
        raise BadArgument(f"“{value[:80]}” is not the path of a web address")
    return value


def line(value: str) -> str:
    """One line of text."""
    if not value.strip() or len(value) > _LONGEST or not value.replace("\t", " ").isprintable():
        raise BadArgument("a single line of text is needed")
    return value


def one_of(value: str, *choices: str) -> str:
    if value not in choices:
        raise BadArgument(f"“{value[:80]}” is none of {', '.join(choices)}")
    return value


def between(value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise BadArgument(f"{value} is not between {least} and {most}")
    return value


def port(value: int) -> int:
    return between(value, 1, 65_535)


def network(value: str) -> str:
    """An address or a network, normalised; empty for any."""
    try:
        return str(ipaddress.ip_network(value, strict=False)) if value else ""
    except ValueError as error:
        raise BadArgument(f"“{value[:80]}” is not a network") from error


def schedule(value: str) -> str:
    """The first part of a crontab line: five fields, or one of cron's names."""
    fields = value.split()
    if value not in _CRON_NAMES and (len(fields) != 5 or not all(_CRON_FIELD.fullmatch(field) for field in fields)):
        raise BadArgument(f"“{value[:80]}” is not a cron schedule")
    return " ".join(fields)


def command(argv: Sequence[str]) -> list[str]:
    """The parts of a command that a playbook names; empty for none."""
    parts = list(argv)
    if any(not isinstance(part, str) or not part.isprintable() for part in parts) or (parts and not parts[0]):
        raise BadArgument("a command is a list of texts")
    return parts
