"""SQL playbooks on real databases, through the SSH fleet and the whole engine: from the approved plan to the result."""

from collections.abc import Iterator
from typing import Any

import pytest

from audit.models import Entry
from cmdb.models import Database
from demo.fleet import Fleet
from execution.exceptions import PlanRefused
from execution.models import Plan, ResultTable, Run, StepResult
from execution.plan.prepare import freeze_plan, prepare_plan
from execution.selectors import latest_run
from tests.audit.words import words_of
from tests.execution.databases import AWKWARD, RealDatabase, mariadb, postgresql, sqlite
from tests.execution.fleet_tenant import FleetTenant, assert_consistent, own_fleet
from tests.execution.test_secrets import Everything, assert_nowhere, dump, log, told, watch
from tests.factories import approve, make_credential
from tests.queue import run_queue
from tickets.choices import Category, Risk
from tickets.models import OpsTask

__all__ = ["log", "watch"]  # fixtures of the suite of secrets
CLEAN = {"table": "people", "where": "state = 'old'", "expected_rows": 6, "tolerance": 0, "changes": "", "key": ""}
SEED = {"table": "people", "key": "id", "duplicates": "refuse"}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with own_fleet(tmp_path_factory.mktemp("fleet"), "auto", count=1) as running:
        yield running


@pytest.fixture(scope="module", params=["postgresql", "mariadb", "sqlite"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealDatabase]:
    folder = tmp_path_factory.mktemp("database")
    makers: Any = {
        "postgresql": lambda: postgresql(folder),
        "mariadb": mariadb,
        "sqlite": lambda: sqlite(folder),
    }
    with makers[request.param]() as running:
        yield running


@pytest.fixture
def real(server: RealDatabase) -> RealDatabase:
    server.fill()
    return server


class Requests:
    """The tenant's one server with its database in the CMDB, and tasks on it."""

    def __init__(self, tenant: FleetTenant, real: RealDatabase) -> None:
        self.tenant, self.real = tenant, real
        spec = {name: real.spec[name] for name in ("name", "dialect", "host", "client", "database")}
        login = (
            make_credential(tenant.institution, real.password, username=real.spec["user"]) if real.password else None
        )
        self.row = Database(server=tenant.servers[0], port=real.spec["port"] or None, credential=login, **spec)
        self.row.full_clean()
        self.row.save()

    def task(self, sub_type: str, content: bytes = b"x", **params: Any) -> OpsTask:
        task = self.tenant.file(content=content)
        changes = {"sub_type": sub_type, "category": Category.DATA, "params": params, "risk": Risk.HIGH}
        OpsTask.objects.filter(pk=task.pk).update(is_held=False, **changes)
        return OpsTask.objects.get(pk=task.pk)

    def approved(self, sub_type: str, **values: Any) -> OpsTask:
        task = self.task(sub_type, **values)
        plan = prepare_plan(task.pk)
        assert plan is not None, OpsTask.objects.get(pk=task.pk).reason
        for person in (self.tenant.owner, self.tenant.pm, self.tenant.security):
            if OpsTask.objects.get(pk=task.pk).status == "PEN":
                approve(OpsTask.objects.get(pk=task.pk), plan, person)
        return OpsTask.objects.get(pk=task.pk)

    def run(self, sub_type: str, **values: Any) -> Run:
        task = self.approved(sub_type, **values)
        run_queue()
        run = latest_run(task)
        assert run is not None, OpsTask.objects.get(pk=task.pk).reason
        run = Run.objects.get(pk=run.pk)
        assert_consistent(run)
        return run


@pytest.fixture
def requests(tenant: FleetTenant, real: RealDatabase) -> Requests:
    return Requests(tenant, real)


def why(run: Run) -> str:
    return f"{run.status}: {run.reason} {list(StepResult.objects.values_list('name', 'status', 'output'))}"


def undo_now(run: Run) -> Any:
    """The plan's own undo of the changing step, done on the host by the engine's own session."""
    return [step for host in run.plan.content["hosts"].values() for step in host["steps"] if step["undo"]]


def test_a_query_gives_its_rows_bounded_and_masked(requests: Requests, real: RealDatabase) -> None:
    phone = real.text("연락처 010-1234-5678, a.b@example.go.kr, 900101-1234567")
    real.run(f"UPDATE people SET note = {phone} WHERE id = 1;")
    before = real.dump()
    statement = "SELECT id, name AS full_name, note, state FROM people ORDER BY id"
    run = requests.run("DB_QUERY", statement=statement)
    assert run.status == "SUCCEEDED", why(run)
    table = ResultTable.objects.get()
    assert table.columns == ["id", "full_name", "note", "state"]
    assert [row[0] for row in table.rows] == [str(number) for number in range(1, 21)]
    assert {row[1] for row in table.rows} == {"***"}
    assert table.rows[0][2] == "연락처 ***, ***, ***"
    assert table.rows[1][2] == AWKWARD[2] and table.rows[8][2] == AWKWARD[9]
    assert table.is_complete and table.is_masked
    assert real.dump() == before
    (listed,) = run.result.document["hosts"][0]["tables"]
    assert listed["digest"] == table.digest and listed["rows"] == 20
    assert "사람1" not in str(list(StepResult.objects.values())) + "".join(
        words_of(entry) for entry in Entry.objects.all()
    )


def test_more_rows_than_the_limit_are_not_fetched(requests: Requests, real: RealDatabase) -> None:
    many = ", ".join(f"({number}, 'x', 'y', 'new')" for number in range(100, 1200))
    real.run(f"INSERT INTO people VALUES {many};")
    run = requests.run("DB_QUERY", statement="SELECT id FROM people")
    table = ResultTable.objects.get()
    assert run.status == "SUCCEEDED" and len(table.rows) == 1000 and not table.is_complete


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM people",
        "SELECT 1; DELETE FROM people",
        "SELECT 1) q; DELETE FROM people; --",
        "WITH gone AS (DELETE FROM people RETURNING id) SELECT * FROM gone",
        "SELECT * INTO copy FROM people",
        "SELECT 1 /*!50000 INTO OUTFILE '/tmp/x' */",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT load_file('/etc/passwd')",
        "\\! id",
        "SELECT 1 \\g /tmp/x",
    ],
)
def test_what_is_no_plain_select_is_not_even_planned(requests: Requests, statement: str) -> None:
    task = requests.task("DB_QUERY", statement=statement)
    assert prepare_plan(task.pk) is None
    task = OpsTask.objects.get(pk=task.pk)
    assert task.status == "MAN" and not Plan.objects.filter(task=task).exists()


@pytest.mark.parametrize("statement", ["SELECT 1\n.shell id", ".shell id", "SELECT 1 AS\ngo", "SELECT 1\n  /\n"])
def test_no_line_is_a_command_for_sqlites_client(requests: Requests, real: RealDatabase, statement: str) -> None:
    if real.dialect != "sqlite":
        pytest.skip("the other clients are given hexadecimal")
    with pytest.raises(PlanRefused):
        freeze_plan(requests.task("DB_QUERY", statement=statement))


def test_a_query_that_the_parser_let_through_still_cannot_write(
    requests: Requests, real: RealDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last wall: both judges are taken away, and the transaction, the cursor or the prepared statement holds."""
    from execution.command_check.verdict import Judgement, Verdict
    from execution.plan import judge as plan_judge
    from execution.steps.sql import judge

    monkeypatch.setattr(judge, "query", lambda text, dialect: text)
    monkeypatch.setattr(plan_judge, "judge_sql", lambda text, dialect: Judgement(Verdict.ALLOW, ""))
    before, tables = real.dump(), real.tables()
    for statement in (
        "DELETE FROM people",
        "SELECT 1) q; DELETE FROM people; SELECT * FROM (SELECT 1",
        "SELECT 1; COMMIT",
    ):
        requests.run("DB_QUERY", statement=statement)
        assert real.dump() == before and real.tables() == tables, statement


def test_rows_are_cleaned_and_kept(requests: Requests, real: RealDatabase) -> None:
    run = requests.run("DATA_CLEAN", **CLEAN)
    assert run.status == "SUCCEEDED", why(run)
    name = f"guardia_{run.task.task_id.lower().replace('-', '_')}"
    assert real.count() == 14 and real.count("state = 'old'") == 0
    assert real.count(table=f"{name}_rows") == 6 and real.count(table=f"{name}_mark") == 1


def test_rows_are_changed_and_kept(requests: Requests, real: RealDatabase) -> None:
    before = real.dump()
    run = requests.run("DATA_CLEAN", **{**CLEAN, "changes": "state = 'x''y', note = '\\! id'", "key": "id"})
    assert run.status == "SUCCEEDED", why(run)
    assert real.count("state = 'x''y'") == 6 and real.dump() != before


@pytest.mark.parametrize(
    ("expected", "tolerance", "succeeds"), [(5, 0, False), (5, 1, True), (7, 1, True), (9, 2, False)]
)
def test_a_count_that_drifted_too_far_changes_nothing(
    requests: Requests, real: RealDatabase, expected: int, tolerance: int, succeeds: bool
) -> None:
    before = real.dump()
    run = requests.run("DATA_CLEAN", **{**CLEAN, "expected_rows": expected, "tolerance": tolerance})
    assert (run.status == "SUCCEEDED") is succeeds, why(run)
    assert (real.dump() == before) is not succeeds
    assert succeeds or real.tables() == ["people"]


def test_a_count_that_drifts_after_the_dry_run_changes_nothing(
    requests: Requests, real: RealDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody adds a row between the dry run and the change: the transaction itself counts."""
    from execution.rollout.host import HostWorker

    original = HostWorker._begin

    def and_a_row(self: HostWorker, order: int, name: str, ops: Any) -> Any:
        if name == "sql_clean" and self.phase == "APPLY":
            real.run("INSERT INTO people VALUES (99, 'late', 'late', 'old');")
        return original(self, order, name, ops)

    monkeypatch.setattr(HostWorker, "_begin", and_a_row)
    run = requests.run("DATA_CLEAN", **CLEAN)
    assert run.status == "ROLLED_BACK" and "number of rows is not what was approved" in run.reason, why(run)
    assert real.count("state = 'old'") == 7 and real.tables() == ["people"]


def test_a_failure_in_the_middle_changes_nothing(requests: Requests, real: RealDatabase) -> None:
    """The back-up is made and some rows are changed when a row breaks a rule of the table."""
    if real.dialect == "sqlite":
        real.run("CREATE UNIQUE INDEX only_once ON people (name);")
    else:
        real.run("ALTER TABLE people ADD CONSTRAINT only_once UNIQUE (name);")
    before = real.dump()
    run = requests.run("DATA_CLEAN", **{**CLEAN, "changes": "name = 'the same'", "key": "id"})
    assert run.status == "ROLLED_BACK", why(run)
    assert real.dump() == before and real.tables() == ["people"]


def test_a_failure_behind_the_change_puts_every_byte_back(
    requests: Requests, real: RealDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step after it fails: the rollback restores, sees that the database answers, and leaves no table behind."""
    before = real.dump()
    for params in (CLEAN, {**CLEAN, "changes": "note = NULL, state = 'gone'", "key": "id"}):
        _break_the_next_step(requests, monkeypatch)
        run = requests.run("DATA_CLEAN", **params)
        assert run.status == "ROLLED_BACK", why(run)
        undone = StepResult.objects.filter(host_run__wave__run=run, phase="UNDO", name="sql_clean").get()
        assert undone.status == "OK"
        assert real.dump() == before and real.tables() == ["people"]


def _break_the_next_step(requests: Requests, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first call of the client after the change finds it gone."""
    from execution.gate import session

    original, calls = session.ask_database, {"after": 0}

    def ask(connection: Any, op: Any, spec: Any) -> Any:
        if any(isinstance(part, str) and "row_count" in part for part in op["script"]):
            calls["after"] = calls["after"] or 1
        elif calls["after"] == 1:
            calls["after"] = 2
            op = {**op, "argv": [*op["argv"][:7], "/nowhere/client", *op["argv"][8:]]}
        return original(connection, op, spec)

    monkeypatch.setattr(session, "ask_database", ask)


@pytest.mark.parametrize("what", ["trigger", "cascade", "not_unique"])
def test_a_table_that_could_not_be_put_back_exactly_is_refused(
    requests: Requests, real: RealDatabase, what: str
) -> None:
    params, dialect = dict(CLEAN), real.dialect
    if what == "trigger":
        _add_trigger(real)
    elif what == "cascade":
        engine = " ENGINE=InnoDB" if dialect == "mariadb" else ""
        real.run(
            "CREATE TABLE pets (id integer PRIMARY KEY, owner integer, FOREIGN KEY (owner) REFERENCES people (id)"
            f" ON DELETE CASCADE){engine};"
        )
    else:
        params |= {"changes": "note = NULL", "key": "state"}
    before = real.dump()
    run = requests.run("DATA_CLEAN", **params)
    reason = {"trigger": "triggers", "cascade": "foreign keys", "not_unique": "key is not unique"}[what]
    assert run.status == "ROLLED_BACK" and reason in run.reason, why(run)
    assert real.dump() == before


def _add_trigger(real: RealDatabase) -> None:
    if real.dialect == "postgresql":
        real.run("CREATE OR REPLACE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';")
        real.run("CREATE TRIGGER t BEFORE DELETE ON people FOR EACH ROW EXECUTE FUNCTION nothing();")
    elif real.dialect == "mariadb":
        real.run("CREATE TRIGGER t BEFORE DELETE ON people FOR EACH ROW SET @x = 1;")
    else:
        real.run("CREATE TRIGGER t BEFORE DELETE ON people BEGIN SELECT 1; END;")


@pytest.mark.parametrize(
    "params",
    [
        {"table": "people; DROP TABLE people"},
        {"table": 'people" --'},
        {"where": "1 = 1) OR (1 = 1"},
        {"where": "state = 'old'; DELETE FROM people"},
        {"where": "state = 'old' LIMIT 1"},
        {"where": ""},
        {"changes": "state = 'x' WHERE 1 = 1", "key": "id"},
        {"changes": "state = 'x'"},
        {"changes": "id = id + 1", "key": "id"},
        {"changes": "state = 'x'", "key": "id) OR (1=1"},
        {"expected_rows": 20_000},
        {"expected_rows": "6 OR 1=1"},
    ],
)
def test_parameters_are_no_way_into_the_statement(requests: Requests, params: dict[str, Any]) -> None:
    with pytest.raises(PlanRefused):
        freeze_plan(requests.task("DATA_CLEAN", **{**CLEAN, **params}))


def seed_file(first: int, count: int) -> bytes:
    import csv
    import io

    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["id", "name", "note"])
    for number in range(first, first + count):
        writer.writerow([number, f"새 사람{number}", AWKWARD[number % len(AWKWARD)]])
    return text.getvalue().encode()


def test_a_file_is_inserted_as_it_is(requests: Requests, real: RealDatabase) -> None:
    before = real.dump()
    run = requests.run("DATA_SEED", content=seed_file(100, 150), **SEED)
    assert run.status == "SUCCEEDED", why(run)
    for number in (101, 103, 104, 106, 107, 111, 108):
        value = AWKWARD[number % len(AWKWARD)]
        assert real.count(f"id = {number} AND note = {real.text(value)}") == 1, value[:20]
    assert real.count("id >= 100") == 150
    real.run("DELETE FROM people WHERE id >= 100;")
    assert real.dump() == before


def test_keys_that_are_there_refuse_the_whole_file_or_are_skipped(
    requests: Requests, real: RealDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = real.dump()
    run = requests.run("DATA_SEED", content=seed_file(15, 10), **SEED)
    assert run.status == "ROLLED_BACK" and "there already" in run.reason, why(run)
    assert real.dump() == before and real.tables() == ["people"]
    _break_the_next_step(requests, monkeypatch)
    run = requests.run("DATA_SEED", content=seed_file(15, 10), **{**SEED, "duplicates": "skip"})
    assert run.status == "ROLLED_BACK", why(run)
    assert real.dump() == before and real.tables() == ["people"], "the undo took out what was skipped"
    monkeypatch.undo()
    run = requests.run("DATA_SEED", content=seed_file(15, 10), **{**SEED, "duplicates": "skip"})
    assert run.status == "SUCCEEDED" and real.count() == 24, why(run)


def test_sql_that_is_only_inserts_is_a_seed_too(requests: Requests, real: RealDatabase) -> None:
    values = "INSERT INTO people (id, name, note) VALUES (200, 'it''s', NULL), (201, '한글', 'x');"
    run = requests.run("DATA_SEED", content=values.encode(), **SEED)
    assert run.status == "SUCCEEDED" and real.count("id >= 200 AND name IN ('it''s', '한글')") == 2, why(run)
    for sql in ("INSERT INTO other (id) VALUES (1)", values + "DELETE FROM people;", "INSERT INTO people SELECT 1"):
        with pytest.raises(PlanRefused):
            freeze_plan(requests.task("DATA_SEED", content=sql.encode(), **SEED))


@pytest.mark.parametrize(
    "content", [b"id,name\n1\n", b"id,name\n\x00,x\n", b"\xff\xfe", b"id;drop,name\n1,2\n", b"id,name\n"]
)
def test_a_file_that_is_no_table_is_not_planned(requests: Requests, content: bytes) -> None:
    with pytest.raises(PlanRefused):
        freeze_plan(requests.task("DATA_SEED", content=content, **SEED))


def test_checks_are_all_asked_and_named(requests: Requests) -> None:
    count, old = "SELECT count(*) FROM people", "SELECT count(*) FROM people WHERE state = 'old'"
    checks = [f"사람 수 | {count} | 20", f"오래된 행 | {old} | 1..6"]
    run = requests.run("DATA_CHECK", checks=checks)
    assert run.status == "SUCCEEDED", why(run)
    assert "사람 수: 20 (OK)" in StepResult.objects.get(name="sql_check").output
    wrong = [f"사람 수 | {count} | 21", "없는 표 | SELECT count(*) FROM nowhere | 1..", checks[1]]
    run = requests.run("DATA_CHECK", checks=wrong)
    assert run.status == "ROLLED_BACK" and "2 failed: 사람 수, 없는 표" in run.reason, why(run)
    output = StepResult.objects.filter(name="sql_check").latest("pk").output
    assert "사람 수: 20 (the output is not the expected value)" in output and "오래된 행: 6 (OK)" in output


def test_a_missing_client_is_named(requests: Requests) -> None:
    Database.objects.update(client="/opt/nowhere/client")
    run = requests.run("DATA_CLEAN", **CLEAN)
    assert run.status == "ROLLED_BACK" and "client is missing" in run.reason, why(run)


def test_a_wrong_password_stops_before_anything(requests: Requests, real: RealDatabase) -> None:
    if not real.password:
        pytest.skip("SQLite has no password")
    wrong = make_credential(requests.tenant.institution, "wr0ng\\secret", username=real.spec["user"])
    Database.objects.update(credential=wrong)
    before = real.dump()
    run = requests.run("DATA_CLEAN", **CLEAN)
    assert run.status == "ROLLED_BACK" and "sql_ready" in run.reason, why(run)
    assert real.dump() == before
    assert_nowhere("wr0ng\\secret", dump=dump(), told=told())


def test_a_statement_without_end_is_ended(
    requests: Requests, real: RealDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended by the database where it can, by `timeout` on the host where it can't; nobody waits for ever."""
    from execution.steps.sql import client

    monkeypatch.setattr(client, "_GRACE", 1)
    endless = "SELECT count(*) FROM " + ", ".join(f"people p{number}" for number in range(12))
    playbook = requests.task("DB_QUERY", statement=endless)
    from execution.plan.build import playbook_for

    source = playbook_for(playbook).source.replace("seconds: 60", "seconds: 1").replace("version: 1", "version: 2")
    from execution.playbooks.publish import publish_playbook

    publish_playbook(actor="test", source=source)
    run = requests.run("DB_QUERY", statement=endless)
    assert run.status == "ROLLED_BACK" and "sql_query" in run.reason, why(run)


def test_the_password_is_nowhere(requests: Requests, real: RealDatabase, log: Everything, watch: set[str]) -> None:
    if not real.password:
        pytest.skip("SQLite has no password")
    assert requests.run("DB_QUERY", statement="SELECT 'marked-row-text' AS x").status == "SUCCEEDED"
    assert requests.run("DATA_CLEAN", **CLEAN).status == "SUCCEEDED"
    assert_nowhere(real.password, dump=dump(), log=log.lines, processes=watch, told=told())
    assert_nowhere("marked-row-text", log=log.lines, processes=watch)
