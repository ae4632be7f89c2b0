"""Rows of a file are put into a table, all or none, and exactly those can be taken out again."""

from collections.abc import Mapping, Sequence
from typing import Any

from execution.steps.arguments import BadArgument, between, one_of
from execution.steps.ops import Step, change
from execution.steps.sql.cleaning import job_of, key_fits
from execution.steps.sql.client import operation
from execution.steps.sql.dialect import DUPLICATES, NOT_ALL, REFUSALS, Dialect, Job, Script, same_key
from execution.steps.sql.looking import speaker
from execution.steps.sql.names import names_in


def sql_seed(
    *, database: Mapping[str, Any], task: str, table: str, sha256: str, columns: Sequence[str], key: str,
    duplicates: str = "refuse", null: str = "", rows: int = 100_000, seconds: int = 600,
) -> Step:  # fmt: skip
    """The rows of the artefact (CSV, or INSERTs of plain values) are in the table.

    `duplicates`: rows whose `key` is there already are refused with all others, or skipped (`skip`). A CSV field that
    equals `null` is no value.
    """
    dialect, one_of_both = speaker(database), one_of(duplicates, "refuse", "skip")
    job = job_of(task, table, key=names_in(key), columns=names_in(columns))
    if not set(job.key) <= set(job.columns):
        raise BadArgument("the key's columns must be among those of the file")
    source = {"sha256": sha256, "table": job.rows.name, "schema": job.rows.schema, "columns": list(job.columns)}
    rows_part: Any = {"rows": {**source, "of": job.table.name, "null": null, "most": between(rows, 1, 1_000_000)}}
    script = _script(dialect, job, rows_part, one_of_both == "skip", seconds)
    common: Any = {"seconds": seconds, "refusals": REFUSALS}
    return change(
        "sql_seed",
        operation(database, script, expect={"number": True}, **common),
        probe=[operation(database, dialect.is_done(job, seconds=seconds), expect={"equals": "1"}, **common)],
        undo=[operation(database, dialect.undo(job, "remove", seconds=seconds), **common)],
    )


def _script(dialect: Dialect, job: Job, rows_part: Any, skips: bool, seconds: int) -> Script:
    table, rows = dialect.table(job.table), dialect.table(job.rows)
    names = ", ".join(dialect.name(column) for column in job.columns)
    there = f"SELECT 1 FROM {table} present WHERE {same_key(job.key, 'present', rows, dialect)}"
    return [
        *dialect.begin(job, f"SELECT {names} FROM {table} WHERE 1 = 0", seconds=seconds),
        *dialect.fit(job, "delete"),
        rows_part,
        *key_fits(dialect, job),
        *(
            dialect.run(f"DELETE FROM {rows} WHERE EXISTS ({there})")
            if skips
            else dialect.must(f"NOT EXISTS (SELECT 1 FROM {rows} WHERE EXISTS ({there}))", DUPLICATES)
        ),
        *dialect.run_on_all(f"INSERT INTO {table} ({names}) SELECT {names} FROM {rows}", job, NOT_ALL),
        *dialect.commit(job),
    ]
