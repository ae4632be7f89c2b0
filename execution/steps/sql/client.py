"""How a database is reached from its host: by the host's own client, with the SQL on its standard input.

A password comes first, as one line. It is put into a file that has lost its name before the line is read: what is
private is never in an argument, in the environment or under a name, and a killed shell leaves nothing behind.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from execution.steps.arguments import BadArgument, absolute, between, one_of, port
from execution.steps.ops import Expect, Show, Sql, SqlPart

DIALECTS = ("postgresql", "mariadb", "sqlite")
_NAME = re.compile(r"[^\W\d][\w.$-]{0,62}")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,252}|/[A-Za-z0-9/._-]{1,252}")
_DEFAULT = {"postgresql": "psql", "mariadb": "mysql", "sqlite": "sqlite3"}
_LOG_IN = {"postgresql": "pgpass", "mariadb": "mycnf", "sqlite": ""}
_GRACE = 15
CLIENT_SCRIPT = """\
umask 077
kind=$1 limit=$2 file=$3; shift 3
command -v "$1" >/dev/null 2>&1 || { echo 'guardia refuses: the database client is missing' >&2; exit 127; }
[ -z "$file" ] || [ -f "$file" ] || { echo 'guardia refuses: there is no such database file' >&2; exit 1; }
if [ -n "$kind" ]; then
  f=$(mktemp "${TMPDIR:-/tmp}/guardia.XXXXXX") && exec 3<>"$f" && rm -f -- "$f" || exit 1
  IFS= read -r line && { [ "$kind" = pgpass ] || printf '[client]\\n' >&3; } && printf '%s\\n' "$line" >&3 || exit 1
  unset line
fi
[ "$kind" = pgpass ] && export PGPASSFILE=/dev/fd/3
export PGCONNECT_TIMEOUT=10 PGCLIENTENCODING=UTF8
command -v timeout >/dev/null 2>&1 && exec timeout -k 5 "$limit" "$@"
exec "$@"
"""
_SHARED_REFUSALS = ("the database client is missing", "there is no such database file")


def operation(
    database: Mapping[str, Any],
    script: Sequence[SqlPart],
    *,
    seconds: int,
    expect: Expect | None = None,
    show: Show = "text",
    refusals: Sequence[str] = (),
    is_reading: bool = False,
    **options: Any,
) -> Sql:
    """One call of the client. `seconds` is what the database may take; the line gets a little more."""
    dialect = one_of(str(database["dialect"]), *DIALECTS)
    kind = _LOG_IN[dialect] if database["log_in"] else ""
    client = {"postgresql": _psql, "mariadb": _mysql, "sqlite": _sqlite}[dialect]
    command = client(database, kind=kind, is_reading=is_reading, is_table=show == "table")
    file = str(database["database"]) if dialect == "sqlite" else ""
    limit = between(seconds, 1, 3600)
    op: Sql = {
        "op": "sql",
        "argv": ["sh", "-c", CLIENT_SCRIPT, "guardia", kind, str(limit + _GRACE), file, *command],
        "script": list(script),
        "dialect": dialect,
        "log_in": kind,
        "expect": expect or {},
        "seconds": limit + 2 * _GRACE,
        "show": show,
        "refusals": [*_SHARED_REFUSALS, *refusals],
    }
    return {**op, **options}  # type: ignore[typeddict-item]  # the options are keys of it


def seconds_of(op: Mapping[str, Any]) -> int:
    """What the database may take in this call of its client."""
    return int(op["seconds"]) - 2 * _GRACE


def _psql(database: Mapping[str, Any], *, kind: str, is_reading: bool, is_table: bool) -> list[str]:
    return [
        _program(database), "-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=terse",
        *_where(database, "-h", "-p", "-U"), "-d", _plain(database["database"]),
    ]  # fmt: skip


def _mysql(database: Mapping[str, Any], *, kind: str, is_reading: bool, is_table: bool) -> list[str]:
    return [
        _program(database),
        "--defaults-file=/dev/fd/3" if kind else "--no-defaults",
        "--batch", "--local-infile=0", "--connect-timeout=10", "--default-character-set=utf8mb4",
        *([] if is_table else ["--skip-column-names"]),
        *_where(database, "--host", "--port", "--user"), "--database", _plain(database["database"]),
    ]  # fmt: skip


def _sqlite(database: Mapping[str, Any], *, kind: str, is_reading: bool, is_table: bool) -> list[str]:
    return [
        _program(database), "-batch", "-bail", "-init", "/dev/null", "-cmd", ".timeout 60000",
        *(["-readonly"] if is_reading else []), *(["-csv", "-header"] if is_table else []),
        absolute(str(database["database"])),
    ]  # fmt: skip


def _program(database: Mapping[str, Any]) -> str:
    return absolute(str(database["client"])) if database["client"] else _DEFAULT[database["dialect"]]


def _where(database: Mapping[str, Any], host: str, at: str, user: str) -> list[str]:
    """Without a host the client takes its local socket, and without a user the one who logged in."""
    found = []
    if database["host"]:
        if not _HOST.fullmatch(str(database["host"])):
            raise BadArgument("the database's host is not a plain name or address")
        found += [host, str(database["host"])]
    if database["port"]:
        found += [at, str(port(int(database["port"])))]
    return [*found, *([user, _plain(database["user"])] if database["user"] else [])]


def _plain(name: object) -> str:
    """Names of databases and users: a client must not take one for an option or for connection parameters."""
    if not _NAME.fullmatch(str(name)):
        raise BadArgument(f"“{str(name)[:80]}” is not a plain name of a database or user")
    return str(name)


def log_in_line(kind: str, password: str) -> str:
    """The password as the client's file has it: one line of `.pgpass` or of an option file."""
    if not password or any(sign in password for sign in "\n\r\0"):
        raise BadArgument("the database's password can't be written in one line")
    if kind == "pgpass":
        return "*:*:*:*:" + password.replace("\\", "\\\\").replace(":", "\\:")
    escaped = password.replace("\\", "\\\\").replace('"', '\\"')
    return f'password="{escaped}"'
