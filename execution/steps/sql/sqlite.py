"""SQLite, by sqlite3. It can't run a text, so judged text stands in the script as it is, in brackets on its own lines.

Everything, tables included, is one transaction that holds the write lock from its beginning. A condition that must
hold is a CHECK of a temporary table, with the refusal as its name.
"""

from typing import Literal

from execution.steps.sql.dialect import (
    CASCADES,
    DONE_BEFORE,
    NOT_PLAIN,
    NOT_REMOVED,
    NOT_RESTORED,
    TRIGGERS,
    Job,
    Script,
    same_key,
)
from execution.steps.sql.names import Table

_BEGIN = "PRAGMA foreign_keys = ON;\nBEGIN IMMEDIATE;\n"


class SQLite:
    def name(self, name: str) -> str:
        return f'"{name}"'

    def table(self, table: Table) -> str:
        return ".".join(self.name(part) for part in (table.schema, table.name) if part)

    def value(self, text: str | None) -> str:
        return "NULL" if text is None else f"CAST(x'{text.encode().hex()}' AS TEXT)"

    def ready(self) -> Script:
        return ["SELECT 1 FROM (SELECT count(*) FROM sqlite_master);\n"]

    def read(self, sql: str, *, limit: int, seconds: int) -> Script:
        return [f"SELECT * FROM (\n{sql}\n) LIMIT {limit};\n"]

    def number(self, sql: str, *, seconds: int) -> Script:
        return self.read(sql, limit=2, seconds=seconds)

    def is_done(self, job: Job, *, seconds: int) -> Script:
        return [f"{_BEGIN}SELECT count(*) FROM sqlite_master WHERE name = '{job.mark.name}';\nROLLBACK;\n"]

    def begin(self, job: Job, like: str, *, seconds: int) -> Script:
        names = f"('{job.mark.name}', '{job.rows.name}')"
        absent = f"NOT EXISTS (SELECT 1 FROM sqlite_master WHERE name IN {names})"
        return [_BEGIN, *self.must(absent, DONE_BEFORE), f"CREATE TABLE {self.table(job.rows)} AS {like};\n"]

    def fit(self, job: Job, verb: Literal["delete", "update"]) -> Script:
        name = f"'{job.table.name}' COLLATE NOCASE"
        named = ", ".join(f"'{column}'" for column in job.columns) or "NULL"
        which = "" if verb == "delete" else f' AND f."to" COLLATE NOCASE IN ({named})'
        plain = (
            f"(SELECT type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' FROM sqlite_master WHERE name = {name})"
            f" AND NOT EXISTS (SELECT 1 FROM pragma_table_xinfo('{job.table.name}') WHERE hidden <> 0)"
        )
        triggers = f"NOT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND tbl_name = {name})"
        cascades = (
            "NOT EXISTS (SELECT 1 FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'"
            f" AND f.\"table\" = {name} AND f.on_{verb} IN ('CASCADE', 'SET NULL', 'SET DEFAULT'){which})"
        )
        return [*self.must(plain, NOT_PLAIN), *self.must(triggers, TRIGGERS), *self.must(cascades, CASCADES)]

    def must(self, condition: str, refusal: str) -> Script:
        return [
            "DROP TABLE IF EXISTS temp.guardia_must;\n"
            f'CREATE TEMP TABLE guardia_must (ok CONSTRAINT "guardia refuses: {refusal}"'
            " CHECK (ok IS NOT NULL AND ok));\n"
            f"INSERT INTO guardia_must SELECT (\n{condition}\n);\n"
        ]

    def run(self, sql: str) -> Script:
        return [f"{sql}\n;\n"]

    def run_on_all(self, sql: str, job: Job, refusal: str) -> Script:
        return [*self.run(sql), *self._changed_all(f"(SELECT count(*) FROM {self.table(job.rows)})", refusal)]

    def _changed_all(self, wanted: str, refusal: str) -> Script:
        """changes() is asked first: making the temporary table must not come between."""
        return [
            "CREATE TEMP TABLE IF NOT EXISTS guardia_count (n);\nINSERT INTO guardia_count SELECT changes();\n",
            *self.must(f"(SELECT n FROM guardia_count ORDER BY rowid DESC LIMIT 1) = {wanted}", refusal),
        ]

    def commit(self, job: Job) -> Script:
        mark, rows = self.table(job.mark), self.table(job.rows)
        return [
            f"CREATE TABLE {mark} AS SELECT count(*) AS row_count FROM {rows};\nCOMMIT;\n"
            f"SELECT row_count FROM {mark};\n"
        ]

    def undo(self, job: Job, how: Literal["insert", "update", "remove"], *, seconds: int) -> Script:
        table, rows, mark = self.table(job.table), self.table(job.rows), self.table(job.mark)
        done, matched = f"EXISTS (SELECT 1 FROM {mark})", same_key(job.key, "kept", table, self)
        matching = f"EXISTS (SELECT 1 FROM {rows} kept WHERE {matched}) AND {done}"
        names = ", ".join(self.name(column) for column in job.columns)
        acts = {
            "insert": f"INSERT INTO {table} SELECT * FROM {rows} WHERE {done}",
            "remove": f"DELETE FROM {table} WHERE {matching}",
            "update": f"UPDATE {table} SET ({names}) = (SELECT {names} FROM {rows} kept WHERE {matched})"
            f" WHERE {matching}",
        }
        wanted = f"(SELECT CASE WHEN {done} THEN count(*) ELSE 0 END FROM {rows})"
        return [
            f"{_BEGIN}CREATE TABLE IF NOT EXISTS {mark} (row_count);\n"
            f"CREATE TABLE IF NOT EXISTS {rows} AS SELECT * FROM {table} WHERE 0;\n",
            *self.run(acts[how]),
            *self._changed_all(wanted, NOT_REMOVED if how == "remove" else NOT_RESTORED),
            f"DROP TABLE {rows};\nDROP TABLE {mark};\nCOMMIT;\n",
        ]
