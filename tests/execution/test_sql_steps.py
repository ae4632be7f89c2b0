"""The SQL steps without a database: what is refused, how a password is written, how a client's output is read."""

import json
from typing import Any

import pytest

from execution.plan.render import commands_of
from execution.steps.arguments import BadArgument
from execution.steps.library import LIBRARY
from execution.steps.sql import judge
from execution.steps.sql.client import log_in_line
from execution.steps.sql.names import Table, names_in
from execution.steps.sql.results import complaint, read_table
from guardia.common.masking import hide_personal

DATABASE: dict[str, Any] = {
    "name": "main", "dialect": "postgresql", "client": "", "host": "127.0.0.1", "port": 5432, "database": "app",
    "user": "app", "log_in": True, "credential": "", "credential_revision": 0,
}  # fmt: skip
DIALECTS = ("postgresql", "mariadb", "sqlite")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "sql",
    ["SELECT 1", "select * from a where x = '; drop table a'", "WITH q AS (SELECT 1) SELECT * FROM q;",
     "SELECT a FROM b UNION SELECT c FROM d", "SELECT count(*) FROM 사람 WHERE 이름 = '홍길동'"],
)  # fmt: skip
def test_what_only_reads_may_be_asked(dialect: str, sql: str) -> None:
    assert judge.query(sql, dialect) == sql.removesuffix(";")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "sql",
    ["", "DELETE FROM a", "SELECT 1; SELECT 2", "SELECT 1 -- x", "SELECT 1 /* x */", "SELECT * FROM a FOR UPDATE",
     "WITH q AS (DELETE FROM a RETURNING *) SELECT * FROM q", "SELECT * INTO b FROM a", "EXPLAIN ANALYZE DELETE FROM a",
     "CALL f()", "COPY a TO PROGRAM 'id'", "SELECT pg_catalog.pg_sleep(9)", "SELECT lo_import('/etc/passwd')",
     "SELECT sleep(9)", "SELECT readfile('/etc/passwd')", "SELECT dblink('x', 'y')", "SELECT 'a\0b'", "x" * 40_000],
)  # fmt: skip
def test_what_does_more_may_not(dialect: str, sql: str) -> None:
    with pytest.raises(BadArgument):
        judge.query(sql, dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "sql", ["a = 1) OR (1 = 1", "a = 1) ORDER BY (1", "a = 1) UNION SELECT 1 WHERE (1 = 1", "a = 1) WHERE (b = 2",
     "", "a = 1 LIMIT 3"]
)  # fmt: skip
def test_a_condition_is_no_more_than_one(dialect: str, sql: str) -> None:
    with pytest.raises(BadArgument):
        judge.condition(sql, dialect)


@pytest.mark.parametrize(
    "sql", ["a = 1 WHERE 1 = 1", "a = 1 FROM b", "t.a = 1", "a = 1, b", "(a, b) = (1, 2)", "a = sleep(3)"]
)
def test_a_change_is_no_more_than_assignments(sql: str) -> None:
    with pytest.raises(BadArgument):
        judge.assignments(sql, "postgresql")
    assert judge.assignments("a = 'x', b = b + 1", "postgresql") == ("a = 'x', b = b + 1", ("a", "b"))


@pytest.mark.parametrize("name", ["a b", 'a"b', "a`b", "1a", "a;b", "", "a.b.c", "a$guardia$", "가" * 22, "a-b"])
def test_a_name_that_would_need_thought_is_refused(name: str) -> None:
    with pytest.raises(BadArgument):
        Table.named(name)
    assert Table.named("app.사람").beside("OPS-20261121-001", "rows") == Table("guardia_ops_20261121_001_rows", "app")
    assert names_in("id, 부서") == ("id", "부서")


@pytest.mark.parametrize(
    ("kind", "password", "line"),
    [("pgpass", "a:b\\c", "*:*:*:*:a\\:b\\\\c"), ("mycnf", 'a"b\\c#d', 'password="a\\"b\\\\c#d"')],
)
def test_a_password_is_written_as_the_client_reads_it(kind: str, password: str, line: str) -> None:
    assert log_in_line(kind, password) == line
    with pytest.raises(BadArgument):
        log_in_line(kind, "two\nlines")


@pytest.mark.parametrize(
    "value", [{"database": "host=evil user=x"}, {"host": "-oX"}, {"user": "-x"}, {"client": "psql;id"}]
)
def test_what_the_cmdb_says_is_no_option_of_the_client(value: dict[str, str]) -> None:
    with pytest.raises(BadArgument):
        LIBRARY["sql_ready"](database={**DATABASE, **value})


def test_the_plan_shows_the_text_and_the_arguments_hold_none_of_it() -> None:
    step: Any = LIBRARY["sql_query"](database=DATABASE, statement="SELECT 'needle' FROM people")
    (shown,) = commands_of(step["apply"])
    assert "SELECT 'needle' FROM people" in shown
    assert "needle" not in json.dumps(step["apply"][0]["argv"])
    assert "psql" in shown and "read_only" not in shown and "BEGIN READ ONLY" in shown


def test_what_is_personal_is_hidden() -> None:
    text = "900101-1234567 010-1234-5678 a.b@c.go.kr 1234-5678-9012-3456 M12345678 12-34-567890-12 일반 2026 42"
    assert hide_personal(text) == "*** *** *** *** *** *** 일반 2026 42"


OUTPUTS = [
    ("postgresql", '{"id":1,"a":"x\\ny"}\n{"id":2,"a":null}\n', ["id", "a"], [["1", "x\ny"], ["2", None]]),
    ("mariadb", "id\ta\n1\tx\\ny\\\\n\n2\tNULL\n", ["id", "a"], [["1", "x\ny\\n"], ["2", None]]),
    ("sqlite", 'id,a\n1,"x\ny"\n2,\n', ["id", "a"], [["1", "x\ny"], ["2", ""]]),
    ("sqlite", "", [], []),
]


@pytest.mark.parametrize(("dialect", "text", "columns", "rows"), OUTPUTS)
def test_each_clients_output_is_read(dialect: str, text: str, columns: list[str], rows: list[Any]) -> None:
    found = read_table(text, dialect, limit=10, masked=False, truncated=False)
    assert (found.columns, found.rows, found.is_complete) == (columns, rows, True)
    cut = read_table(text, dialect, limit=1, masked=True, truncated=False)
    assert len(cut.rows) == min(1, len(rows)) and cut.is_complete is (len(rows) <= 1)


@pytest.mark.parametrize(
    ("dialect", "text"), [("postgresql", "no json"), ("mariadb", "a\tb\n1\n"), ("sqlite", "a,b\n1\n")]
)
def test_what_is_no_table_is_not_believed(dialect: str, text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        read_table(text, dialect, limit=10, masked=True, truncated=False)


def test_a_complaint_quotes_no_rows() -> None:
    said = "-----\nINSERT INTO t VALUES ('홍길동')\n-----\nERROR 1062 (23000): Duplicate 010-1234-5678\n  more"
    assert complaint(said) == "ERROR 1062 (23000): Duplicate ***\n"
