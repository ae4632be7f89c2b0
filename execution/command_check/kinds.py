"""Kinds of operands that only some programs have, for the tables of verbs and subcommands (letters as there)."""

import re
from collections.abc import Callable

from execution.command_check.context import UNKNOWN, Context
from execution.command_check.paths import check_read
from execution.command_check.words import shown

_SECRET_KINDS = re.compile(r"secrets?|configmaps?|cm|all|serviceaccounts?|sa", re.IGNORECASE)


def _resource(context: Context, value: str) -> None:
    if any(_SECRET_KINDS.fullmatch(part.split("/")[0]) for part in value.split(",")):
        context.block(f"shows {shown(value)}")


def _kernel_setting(context: Context, value: str) -> None:
    if "=" in value:
        context.block("sets a value of the kernel")


def _state_of_container(context: Context, value: str) -> None:
    if not re.fullmatch(
        r"(\s*\{\{\s*\.(State|RestartCount|NetworkSettings|Mounts|Image|Created|Name|Id|LogPath)[\w.]*\s*\}\}\s*)+",
        value,
    ):
        context.escalate("shows settings of a container, with the passwords in them")


def _output_format(context: Context, value: str) -> None:
    if value not in ("wide", "name"):
        context.escalate("shows everything of a resource, with the settings in it")


def _names_database(context: Context, value: str) -> None:
    """Of `getent`: `shadow` and `gshadow` hold what passwords become."""
    if value not in _NAMES:
        context.block(f"reads a secret: {shown(value)}")


_NAMES = frozenset(
    (
        "passwd",
        "group",
        "hosts",
        "ahosts",
        "ahostsv4",
        "ahostsv6",
        "networks",
        "services",
        "protocols",
        "rpc",
        "netgroup",
    )
)


def _revision(context: Context, value: str) -> None:
    """Of `git show`: `HEAD:conf/app.yml` and a path show what is, or was, in the file."""
    if not UNKNOWN.isdisjoint(value):
        context.escalate("an argument that isn't known")
    check_read(context, value.rpartition(":")[2] or ".")


KINDS_OF_PROGRAMS: dict[str, Callable[[Context, str], None]] = {
    "G": _revision,
    "K": _resource,
    "N": _names_database,
    "O": _output_format,
    "S": _kernel_setting,
    "i": _state_of_container,
}
