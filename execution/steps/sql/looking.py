"""Steps that only look into a database: log-in, count, query, named checks."""

from collections.abc import Mapping, Sequence
from typing import Any

from execution.steps.arguments import BadArgument, between, line
from execution.steps.ops import Expect, Op, Step, check
from execution.steps.sql import judge
from execution.steps.sql.client import operation, seconds_of
from execution.steps.sql.dialect import Dialect
from execution.steps.sql.mariadb import MariaDB
from execution.steps.sql.names import Table
from execution.steps.sql.postgresql import PostgreSQL
from execution.steps.sql.sqlite import SQLite

SPEAKERS: Mapping[str, Dialect] = {"postgresql": PostgreSQL(), "mariadb": MariaDB(), "sqlite": SQLite()}
_MOST_ROWS, _MOST_CHECKS = 10_000, 100


def speaker(database: Mapping[str, Any]) -> Dialect:
    try:
        return SPEAKERS[str(database["dialect"])]
    except KeyError as error:
        raise BadArgument("there is no such kind of database") from error


def sql_ready(*, database: Mapping[str, Any], seconds: int = 30) -> Step:
    """The client is there, the log-in works, and the database answers."""
    script = speaker(database).ready()
    return check("sql_ready", operation(database, script, seconds=seconds, expect={"equals": "1"}, is_reading=True))


def sql_query(
    *, database: Mapping[str, Any], statement: str, rows: int = 1000, seconds: int = 60, masked: bool = True
) -> Step:
    """The rows of one SELECT, in a transaction that can't write; personal data is masked unless the plan says so."""
    sql, limit = judge.query(statement, database["dialect"]), between(rows, 1, _MOST_ROWS)
    script = speaker(database).read(sql, limit=limit + 1, seconds=seconds)
    options: Any = {"rows": limit, "masked": bool(masked), "asked": sql}
    return check("sql_query", operation(database, script, seconds=seconds, show="table", is_reading=True, **options))


def is_script_of(op: Mapping[str, Any], sql: str) -> bool:
    """Whether what a query's operation sends is exactly the script of this statement."""
    seconds, dialect = seconds_of(op), SPEAKERS[op["dialect"]]
    if op["show"] == "table":
        return bool(list(op["script"]) == list(dialect.read(sql, limit=op["rows"] + 1, seconds=seconds)))
    return bool(list(op["script"]) == list(dialect.number(sql, seconds=seconds)))


def sql_count(
    *, database: Mapping[str, Any], table: str, where: str, expected: int, tolerance: int = 0, rows: int = 10_000,
    seconds: int = 300,
) -> Step:  # fmt: skip
    """The dry run: as many rows meet the condition as were approved."""
    dialect, least, most = speaker(database), *bounds(expected, tolerance, rows)
    sql = counting(dialect, Table.named(table), judge.condition(where, database["dialect"]))
    expect: Expect = {"number": True, "at_least": least, "at_most": most}
    script = dialect.number(sql, seconds=seconds)
    return check("sql_count", operation(database, script, seconds=seconds, expect=expect, is_reading=True))


def sql_check(*, database: Mapping[str, Any], checks: Sequence[str], seconds: int = 60) -> Step:
    """Each check, “name | query | value” or “name | query | 1..6”, is met; all are asked, whatever fails."""
    if not checks or len(checks) > _MOST_CHECKS:
        raise BadArgument(f"between 1 and {_MOST_CHECKS} checks are needed")
    return check("sql_check", *(_assertion(database, item, seconds) for item in checks))


def _assertion(database: Mapping[str, Any], text: str, seconds: int) -> Op:
    name, _bar, rest = (part.strip() for part in text.partition(" | "))
    asked, _bar, wanted = (part.strip() for part in rest.rpartition(" | "))
    if not (name and asked and wanted):
        raise BadArgument("a check is “name | query | value” or “name | query | least..most”")
    least, dots, most = wanted.partition("..")
    is_range = bool(dots) and all(not end or (end.isascii() and end.isdigit()) for end in (least, most))
    expect: Expect = {} if is_range else {"equals": wanted}
    if is_range and least:
        expect["at_least"] = between(int(least), 0, 10**15)
    if is_range and most:
        expect["at_most"] = between(int(most), 0, 10**15)
    sql = judge.query(asked, database["dialect"])
    script, options = speaker(database).number(sql, seconds=seconds), {"label": line(name), "asked": sql}
    return operation(database, script, seconds=seconds, expect=expect, show="value", is_reading=True, **options)


def counting(dialect: Dialect, table: Table, where: str) -> str:
    return f"SELECT count(*) FROM {dialect.table(table)} WHERE (\n{where}\n)"


def bounds(expected: int, tolerance: int, rows: int) -> tuple[int, int]:
    """The least and the most rows that a change may touch."""
    limit = between(rows, 1, 1_000_000)
    if expected > limit:
        raise BadArgument(f"{expected} rows are more than the limit of {limit}")
    least = max(0, between(expected, 0, limit) - between(tolerance, 0, limit))
    return least, min(expected + tolerance, limit)
