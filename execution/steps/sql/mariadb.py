"""MariaDB and MySQL, by mysql. Text of people is prepared from hexadecimal: one statement, unread by the client.

Making a table ends a transaction here, so the tables are made before it, and the mark is a row: a refused change
leaves two empty tables, which the undo takes away.
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

_PREPARE = "PREPARE guardia FROM @guardia; EXECUTE guardia; DEALLOCATE PREPARE guardia;\n"
_MODE = "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION"


class MariaDB:
    def name(self, name: str) -> str:
        return f"`{name}`"

    def table(self, table: Table) -> str:
        return ".".join(self.name(part) for part in (table.schema, table.name) if part)

    def value(self, text: str | None) -> str:
        return "NULL" if text is None else f"CONVERT(0x{text.encode().hex()} USING utf8mb4)" if text else "''"

    def ready(self) -> Script:
        return ["SELECT 1;\n"]

    def read(self, sql: str, *, limit: int, seconds: int) -> Script:
        bounded = f"SELECT * FROM (\n{sql}\n) guardia LIMIT {limit}"
        return [f"{_settings(seconds)}START TRANSACTION READ ONLY;\n", *self.run(bounded), "ROLLBACK;\n"]

    def number(self, sql: str, *, seconds: int) -> Script:
        return self.read(sql, limit=2, seconds=seconds)

    def is_done(self, job: Job, *, seconds: int) -> Script:
        there = f"(SELECT count(*) FROM information_schema.tables WHERE {_is(job.mark)})"
        look = f"SET @guardia = IF({there} = 1, 'SELECT count(*) FROM {self.table(job.mark)}', 'SELECT 0');\n"
        return [f"{_settings(seconds)}{_lock(job, seconds)}{look}{_PREPARE}"]

    def begin(self, job: Job, like: str, *, seconds: int) -> Script:
        rows, mark = self.table(job.rows), self.table(job.mark)
        return [
            f"{_settings(seconds)}{_lock(job, seconds)}"
            f"CREATE TABLE IF NOT EXISTS {mark} (row_count BIGINT NOT NULL) ENGINE=InnoDB;\n",
            *self.must(f"(SELECT count(*) FROM {mark}) = 0", DONE_BEFORE),
            f"DROP TABLE IF EXISTS {rows};\nCREATE TABLE {rows} ENGINE=InnoDB AS {like};\nSTART TRANSACTION;\n",
        ]

    def fit(self, job: Job, verb: Literal["delete", "update"]) -> Script:
        here = _is(job.table)
        engine = f"(SELECT engine FROM information_schema.tables WHERE {here}) = 'InnoDB'"
        event = f"event_object_schema = {_schema(job.table)} AND event_object_table = '{job.table.name}'"
        triggers = f"(SELECT count(*) FROM information_schema.triggers WHERE {event}) = 0"
        refers = f"r.unique_constraint_schema = {_schema(job.table)} AND r.referenced_table_name = '{job.table.name}'"
        named = ", ".join(f"'{column}'" for column in job.columns) or "''"
        which = "" if verb == "delete" else f" AND k.referenced_column_name IN ({named})"
        cascades = (
            "(SELECT count(*) FROM information_schema.referential_constraints r"
            " JOIN information_schema.key_column_usage k ON k.constraint_schema = r.constraint_schema"
            f" AND k.constraint_name = r.constraint_name AND k.table_name = r.table_name WHERE {refers}"
            f" AND r.{verb}_rule NOT IN ('RESTRICT', 'NO ACTION'){which}) = 0"
        )
        return [*self.must(engine, NOT_PLAIN), *self.must(triggers, TRIGGERS), *self.must(cascades, CASCADES)]

    def must(self, condition: str, refusal: str) -> Script:
        """Where the condition isn't true, what is prepared is no SQL: the client stops, and the transaction with it."""
        return [
            *_text(f"SELECT ({condition}) INTO @guardia_ok"),
            f"{_PREPARE}SET @guardia = IF(@guardia_ok, 'DO 0', 'guardia refuses: {refusal}');\n{_PREPARE}",
        ]

    def run(self, sql: str) -> Script:
        return [*_text(sql), _PREPARE]

    def run_on_all(self, sql: str, job: Job, refusal: str) -> Script:
        counted = (
            "PREPARE guardia FROM @guardia; EXECUTE guardia; SET @guardia_count = ROW_COUNT();"
            " DEALLOCATE PREPARE guardia;\n"
        )
        # An update that leaves a row as it was isn't counted here, so for updates the bound is from above.
        compare = "<=" if job.key and sql.startswith("UPDATE") else "="
        rows = f"(SELECT count(*) FROM {self.table(job.rows)})"
        return [*_text(sql), counted, *self.must(f"@guardia_count {compare} {rows}", refusal)]

    def commit(self, job: Job) -> Script:
        mark, rows = self.table(job.mark), self.table(job.rows)
        return [f"INSERT INTO {mark} SELECT count(*) FROM {rows};\nCOMMIT;\nSELECT row_count FROM {mark};\n"]

    def undo(self, job: Job, how: Literal["insert", "update", "remove"], *, seconds: int) -> Script:
        table, rows, mark = self.table(job.table), self.table(job.rows), self.table(job.mark)
        start = (
            f"{_settings(seconds)}{_lock(job, seconds)}"
            f"CREATE TABLE IF NOT EXISTS {mark} (row_count BIGINT NOT NULL) ENGINE=InnoDB;\n"
            f"CREATE TABLE IF NOT EXISTS {rows} ENGINE=InnoDB AS SELECT * FROM {table} WHERE 1 = 0;\n"
            f"START TRANSACTION;\nSET @guardia_done = (SELECT count(*) FROM {mark});\n"
        )
        matched = same_key(job.key, "present", "kept", self)
        refusal = NOT_REMOVED if how == "remove" else NOT_RESTORED
        wanted = f"(SELECT IF(@guardia_done, count(*), 0) FROM {rows})"
        act: Script
        if how == "insert":
            act = [_insert(job, table, rows), *self.must(f"@guardia_count = {wanted}", refusal)]
        elif how == "remove":
            sql = f"DELETE present FROM {table} present JOIN {rows} kept ON {matched} WHERE @guardia_done"
            act = [f"{sql};\nSET @guardia_count = ROW_COUNT();\n", *self.must(f"@guardia_count = {wanted}", refusal)]
        else:
            found = f"(SELECT count(*) FROM {table} present JOIN {rows} kept ON {matched} WHERE @guardia_done)"
            pairs = ", ".join(f"present.{self.name(column)} = kept.{self.name(column)}" for column in job.columns)
            sql = f"UPDATE {table} present JOIN {rows} kept ON {matched} SET {pairs} WHERE @guardia_done"
            act = [*self.must(f"{found} = {wanted}", refusal), f"{sql};\n"]
        return [start, *act, f"DELETE FROM {mark};\nCOMMIT;\nDROP TABLE {rows}, {mark};\n"]


def _insert(job: Job, table: str, rows: str) -> str:
    """Generated columns make themselves again."""
    return (
        "SET SESSION group_concat_max_len = 1048576;\n"
        "SET @guardia_columns = (SELECT GROUP_CONCAT(CONCAT('`', REPLACE(column_name, '`', '``'), '`')"
        f" ORDER BY ordinal_position) FROM information_schema.columns WHERE {_is(job.table)}"
        " AND extra NOT LIKE '%GENERATED%');\n"
        f"SET @guardia = CONCAT('INSERT INTO {table} (', @guardia_columns, ') SELECT ', @guardia_columns,"
        f" ' FROM {rows} WHERE @guardia_done');\n"
        "PREPARE guardia FROM @guardia; EXECUTE guardia; SET @guardia_count = ROW_COUNT();"
        " DEALLOCATE PREPARE guardia;\n"
    )


def _text(sql: str) -> Script:
    return ["SET @guardia = CONVERT(0x", {"hex": sql}, " USING utf8mb4);\n"]


def _settings(seconds: int) -> str:
    """MariaDB bounds every statement; MySQL (the second comment is its own) bounds what only reads."""
    return (
        f"SET SESSION sql_mode = '{_MODE}';\n"
        f"/*M!100101 SET SESSION max_statement_time = {seconds} */;\n"
        f"/*!50708 SET SESSION max_execution_time = {seconds * 1000} */;\n"
        f"SET SESSION innodb_lock_wait_timeout = {seconds};\n"
    )


def _lock(job: Job, seconds: int) -> str:
    got = f"GET_LOCK('guardia_{job.lock}', {seconds}) = 1"
    return f"SET @guardia = IF({got}, 'DO 0', 'another attempt still runs');\n{_PREPARE}"


def _schema(table: Table) -> str:
    return f"'{table.schema}'" if table.schema else "DATABASE()"


def _is(table: Table) -> str:
    return f"table_schema = {_schema(table)} AND table_name = '{table.name}'"
