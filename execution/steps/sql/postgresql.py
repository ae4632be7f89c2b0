"""PostgreSQL, by psql. Text of people is run by EXECUTE from hexadecimal: psql reads no command or variable in it, and
nothing in it can end the transaction. Everything, tables included, is one transaction."""

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

_DO, _END = "DO $guardia$ ", " $guardia$;\n"
_TEXT = "convert_from(decode('", "', 'hex'), 'UTF8')"


class PostgreSQL:
    def name(self, name: str) -> str:
        return f'"{name}"'

    def table(self, table: Table) -> str:
        return ".".join(self.name(part) for part in (table.schema, table.name) if part)

    def value(self, text: str | None) -> str:
        return "NULL" if text is None else "'" + text.replace("'", "''") + "'"

    def ready(self) -> Script:
        return ["SELECT 1;\n"]

    def read(self, sql: str, *, limit: int, seconds: int) -> Script:
        return self._rows(f"SELECT row_to_json(guardia)::text FROM (\n{sql}\n) guardia", limit, seconds)

    def number(self, sql: str, *, seconds: int) -> Script:
        return self._rows(sql, 2, seconds)

    def _rows(self, sql: str, limit: int, seconds: int) -> Script:
        declare = f"{_DO}BEGIN EXECUTE 'DECLARE guardia_rows NO SCROLL CURSOR FOR ' || {_TEXT[0]}"
        return [
            f"{_settings(seconds)}BEGIN READ ONLY;\n{declare}",
            {"hex": sql},
            f"{_TEXT[1]}; END{_END}FETCH {limit} FROM guardia_rows;\nROLLBACK;\n",
        ]

    def is_done(self, job: Job, *, seconds: int) -> Script:
        look = f"SELECT CASE WHEN to_regclass('{self.table(job.mark)}') IS NULL THEN 0 ELSE 1 END;\n"
        return [f"{_settings(seconds)}BEGIN;\n{_lock(job)}{look}ROLLBACK;\n"]

    def begin(self, job: Job, like: str, *, seconds: int) -> Script:
        lock = (
            f"{_DO}BEGIN PERFORM pg_advisory_lock({job.lock}); END{_END}"  # before the transaction takes its snapshot
        )
        absent = f"to_regclass('{self.table(job.mark)}') IS NULL AND to_regclass('{self.table(job.rows)}') IS NULL"
        return [
            f"{_settings(seconds)}{lock}BEGIN ISOLATION LEVEL REPEATABLE READ;\n",
            *self.must(absent, DONE_BEFORE),
            f"CREATE TABLE {self.table(job.rows)} AS {like};\n",
        ]

    def fit(self, job: Job, verb: Literal["delete", "update"]) -> Script:
        oid, action = f"'{self.table(job.table)}'::regclass", "confdeltype" if verb == "delete" else "confupdtype"
        named = ", ".join(f"'{column}'" for column in job.columns) or "NULL"
        which = (
            ""
            if verb == "delete"
            else (
                f" AND EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = {oid} AND a.attnum = ANY (confkey)"
                f" AND a.attname IN ({named}))"
            )
        )
        plain = f"(SELECT relkind IN ('r', 'p') AND NOT relhasrules FROM pg_class WHERE oid = {oid})"
        triggers = f"NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = {oid} AND NOT tgisinternal)"
        keys = f"SELECT 1 FROM pg_constraint WHERE contype = 'f' AND confrelid = {oid} AND {action} IN ('c', 'n', 'd')"
        return [
            *self.must(plain, NOT_PLAIN),
            *self.must(triggers, TRIGGERS),
            *self.must(f"NOT EXISTS ({keys}{which})", CASCADES),
        ]

    def must(self, condition: str, refusal: str) -> Script:
        return [
            f"{_DO}DECLARE ok boolean; BEGIN EXECUTE {_TEXT[0]}",
            {"hex": f"SELECT {condition}"},
            f"{_TEXT[1]} INTO ok; IF ok IS NOT TRUE THEN RAISE EXCEPTION 'guardia refuses: {refusal}';"
            f" END IF; END{_END}",
        ]

    def run(self, sql: str) -> Script:
        return [f"{_DO}BEGIN EXECUTE {_TEXT[0]}", {"hex": sql}, f"{_TEXT[1]}; END{_END}"]

    def run_on_all(self, sql: str, job: Job, refusal: str) -> Script:
        return [
            f"{_DO}DECLARE n bigint; BEGIN EXECUTE {_TEXT[0]}",
            {"hex": sql},
            f"{_TEXT[1]}; GET DIAGNOSTICS n = ROW_COUNT; IF n <> (SELECT count(*) FROM {self.table(job.rows)})"
            f" THEN RAISE EXCEPTION 'guardia refuses: {refusal}'; END IF; END{_END}",
        ]

    def commit(self, job: Job) -> Script:
        mark, rows = self.table(job.mark), self.table(job.rows)
        return [
            f"CREATE TABLE {mark} AS SELECT count(*) AS row_count FROM {rows};\nCOMMIT;\n"
            f"SELECT row_count FROM {mark};\n"
        ]

    def undo(self, job: Job, how: Literal["insert", "update", "remove"], *, seconds: int) -> Script:
        act = {"insert": self._insert, "update": self._update, "remove": self._remove}[how](job)
        refusal = NOT_REMOVED if how == "remove" else NOT_RESTORED
        mark, rows = self.table(job.mark), self.table(job.rows)
        return [
            f"{_settings(seconds)}{_DO}DECLARE n bigint; cols text; BEGIN"
            f" PERFORM pg_advisory_xact_lock({job.lock}); IF to_regclass('{mark}') IS NULL THEN RETURN; END IF;"
            f" {act} GET DIAGNOSTICS n = ROW_COUNT;"
            f" IF n <> (SELECT count(*) FROM {rows}) THEN RAISE EXCEPTION 'guardia refuses: {refusal}'; END IF;"
            f" DROP TABLE {rows}; DROP TABLE {mark}; END{_END}"
        ]

    def _insert(self, job: Job) -> str:
        """Generated columns make themselves again; identity columns get back what they had."""
        table, rows = self.table(job.table), self.table(job.rows)
        return (
            "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO cols FROM pg_attribute a"
            f" WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped"
            " AND coalesce(to_jsonb(a)->>'attgenerated', '') = '';"
            f" EXECUTE 'INSERT INTO {table} (' || cols || ')' ||"
            " CASE WHEN current_setting('server_version_num')::int >= 100000"
            " THEN ' OVERRIDING SYSTEM VALUE' ELSE '' END"
            f" || ' SELECT ' || cols || ' FROM {rows}';"
        )

    def _update(self, job: Job) -> str:
        pairs = ", ".join(f"{self.name(column)} = kept.{self.name(column)}" for column in job.columns)
        matched = same_key(job.key, "now", "kept", self)
        return f"UPDATE {self.table(job.table)} AS now SET {pairs} FROM {self.table(job.rows)} AS kept WHERE {matched};"

    def _remove(self, job: Job) -> str:
        matched = same_key(job.key, "now", "kept", self)
        return f"DELETE FROM {self.table(job.table)} AS now USING {self.table(job.rows)} AS kept WHERE {matched};"


def _settings(seconds: int) -> str:
    return (
        f"SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\nSET statement_timeout = '{seconds}s';\n"
    )


def _lock(job: Job) -> str:
    return f"{_DO}BEGIN PERFORM pg_advisory_xact_lock({job.lock}); END{_END}"
