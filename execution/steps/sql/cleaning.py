"""Rows are deleted or changed under a condition, as many as were approved, and can be put back exactly."""

from collections.abc import Mapping
from typing import Any, Literal

from execution.steps.arguments import BadArgument
from execution.steps.ops import Step, change
from execution.steps.sql import judge
from execution.steps.sql.client import operation
from execution.steps.sql.dialect import COUNT_DIFFERS, KEY_UNFIT, NOT_ALL, REFUSALS, Dialect, Job, Script, same_key
from execution.steps.sql.looking import bounds, speaker
from execution.steps.sql.names import Table, lock_key, names_in


def sql_clean(
    *, database: Mapping[str, Any], task: str, table: str, where: str, expected: int, changes: str = "", key: str = "",
    tolerance: int = 0, rows: int = 10_000, seconds: int = 300,
) -> Step:  # fmt: skip
    """The rows that meet the condition are gone, or have the `changes` (“column = value, …”, which need a `key`).

    One transaction under a lock: back-up table, count, change, count, mark. Undone from the back-up table.
    """
    kind, dialect = database["dialect"], speaker(database)
    condition = judge.condition(where, kind)
    assigned, columns = judge.assignments(changes, kind) if changes else ("", ())
    job = job_of(task, table, key=names_in(key) if key else (), columns=names_in(columns) if columns else ())
    if changes and (not job.key or set(job.key) & set(job.columns)):
        raise BadArgument("a change needs a key, and leaves it as it is")
    least, most = bounds(expected, tolerance, rows)
    how: Literal["insert", "update"] = "update" if changes else "insert"
    script = _script(dialect, job, condition, assigned, (least, most), seconds)
    common: Any = {"seconds": seconds, "refusals": REFUSALS}
    return change(
        "sql_clean",
        operation(database, script, expect={"number": True, "at_least": least, "at_most": most}, **common),
        probe=[operation(database, dialect.is_done(job, seconds=seconds), expect={"equals": "1"}, **common)],
        undo=[operation(database, dialect.undo(job, how, seconds=seconds), **common)],
    )


def job_of(task: str, table: str, *, key: tuple[str, ...] = (), columns: tuple[str, ...] = ()) -> Job:
    target = Table.named(table)
    rows, mark = target.beside(task, "rows"), target.beside(task, "mark")
    return Job(target, rows, mark, lock_key(task, target), key, columns)


def _script(dialect: Dialect, job: Job, condition: str, assigned: str, count: tuple[int, int], seconds: int) -> Script:
    table, rows = dialect.table(job.table), dialect.table(job.rows)
    where = f"WHERE (\n{condition}\n)"
    verb: Literal["delete", "update"] = "update" if assigned else "delete"
    sql = f"UPDATE {table} SET\n{assigned}\n{where}" if assigned else f"DELETE FROM {table} {where}"
    locking = " FOR UPDATE" if dialect.name("x") == "`x`" else ""
    return [
        *dialect.begin(job, f"SELECT * FROM {table} WHERE 1 = 0", seconds=seconds),
        *dialect.fit(job, verb),
        *dialect.run(f"INSERT INTO {rows} SELECT * FROM {table} {where}{locking}"),
        *dialect.must(f"(SELECT count(*) FROM {rows}) BETWEEN {count[0]} AND {count[1]}", COUNT_DIFFERS),
        *([*key_fits(dialect, job), *_found_by_key(dialect, job)] if job.key else []),
        *dialect.run_on_all(sql, job, NOT_ALL),
        *dialect.commit(job),
    ]


def _found_by_key(dialect: Dialect, job: Job) -> Script:
    """The key leads back to these rows and to no other."""
    table, rows = dialect.table(job.table), dialect.table(job.rows)
    kept = f"SELECT 1 FROM {rows} kept WHERE {same_key(job.key, 'kept', 'present', dialect)}"
    found = f"(SELECT count(*) FROM {table} present WHERE EXISTS ({kept}))"
    return dialect.must(f"{found} = (SELECT count(*) FROM {rows})", KEY_UNFIT)


def key_fits(dialect: Dialect, job: Job) -> Script:
    """No two kept rows, and no two of the table, have one key, and none lacks it."""
    rows, names = dialect.table(job.rows), [dialect.name(column) for column in job.key]
    null = " OR ".join(f"{name} IS NULL" for name in names)
    twice = f"SELECT 1 FROM {rows} GROUP BY {', '.join(names)} HAVING count(*) > 1"
    condition = f"NOT EXISTS (SELECT 1 FROM {rows} WHERE {null}) AND NOT EXISTS ({twice})"
    return dialect.must(condition, KEY_UNFIT)
