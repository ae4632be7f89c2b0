"""A canary as the fleet's credential: after a deployment and a failed one it is nowhere but in the vault, sealed."""

import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from django.db import connection
from psycopg import sql

from audit.models import Entry
from demo.fleet import Fleet
from demo.fleet.hostile import hostile
from execution.models import HostRun, ResultPackage, RunEvent, StepResult
from notifications.models import Notification
from tests.audit.words import words_of
from tests.execution.fleet_tenant import FleetTenant, own_fleet
from tests.execution.worker import until, workers
from tests.factories import Tenant, make_credential, make_server
from tests.queue import run_queue
from tickets.models import OpsTask


@pytest.fixture(scope="module", params=["auto", "asyncssh"])
def fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Hosts with private keys where OpenSSH is installed, and hosts with passwords."""
    with own_fleet(tmp_path_factory.mktemp("fleet"), request.param, count=3) as running:
        yield running


class Everything(logging.Handler):
    """Keeps every record of every logger as text, arguments and traceback included."""

    def __init__(self) -> None:
        super().__init__(level=logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {record.args!r} {self.format(record)}")


@pytest.fixture
def log() -> Iterator[Everything]:
    handler = Everything()
    loggers = [logging.getLogger(), *(logging.getLogger(name) for name in ("paramiko", "django-q", "asyncssh"))]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
    yield handler
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


@pytest.fixture
def watch() -> Iterator[set[str]]:
    """The command lines and environments of all our processes, looked at again and again meanwhile."""
    seen: set[str] = set()
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(0.05):
            for process in psutil.process_iter(["cmdline"]):
                seen.add(" ".join(process.info["cmdline"] or ()))

    thread = threading.Thread(target=look)
    thread.start()
    yield seen
    stop.set()
    thread.join(10)


def dump() -> dict[str, str]:
    """Every row of every table as text, as a dump would show it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        found = {}
        for table in tables:
            cursor.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table)))
            found[table] = "\n".join(row for (row,) in cursor.fetchall())
    return found


def needles(secret: str) -> list[str]:
    """The secret as it might be written: plain, as hex (bytea), escaped in JSON, and its inner lines."""
    lines = [line for line in secret.splitlines() if len(line) > 20 and "PRIVATE KEY" not in line] or [secret]
    plain = [*lines, secret]
    return plain + [text.encode().hex() for text in plain] + [json.dumps(text)[1:-1] for text in plain]


def assert_nowhere(secret: str, **places: Any) -> None:
    for needle in needles(secret):
        for place, texts in places.items():
            for text in texts.values() if isinstance(texts, dict) else texts:
                assert needle not in text, f"the secret is in {place}"


def told() -> list[str]:
    """What people can read, as they read it."""
    rows: list[Any] = [*RunEvent.objects.all(), *StepResult.objects.all(), *HostRun.objects.all()]
    words = [str(vars(row)) for row in rows]
    words += [words_of(entry) for entry in Entry.objects.all()]
    words += [json.dumps(package.document) for package in ResultPackage.objects.all()]
    words += [note.text for note in Notification.objects.all()]
    return words + [task.reason for task in OpsTask.objects.all()]


def test_the_fleets_credentials_are_nowhere(tenant: FleetTenant, log: Everything, watch: set[str]) -> None:
    secrets = {host.credential_secret for host in tenant.hosts.values()}
    tenant.deploy("2.1.0")
    tenant.deploy("2.2.0", broken=True)
    rows = dump()
    assert rows["execution_stepresult"]
    assert len(log.lines) > 10
    assert any("pytest" in line for line in watch)
    for secret in secrets:
        assert_nowhere(secret, dump=rows, log=log.lines, processes=watch, told=told())


def test_a_real_workers_log_holds_no_credential(tenant: FleetTenant, home: Any, watch: set[str]) -> None:
    tenant.wait_for_start("2.3.0")
    with workers(home) as start:
        worker = start()
        until(lambda: OpsTask.objects.filter(status="VAL").exists(), 60, pause=0.1)
        environments = [str(process.environ()) for process in worker.family()]
        log = worker.log.read_text()
    for host in tenant.hosts.values():
        assert_nowhere(host.credential_secret, log=[log], processes=watch, environments=environments)


@pytest.mark.parametrize("kind", ["wrong_password", "hang_auth", "changed_key", "no_exit_code"])
def test_a_password_is_in_no_error(
    transactional_db: None, in_english: None, settings: Any, log: Everything, kind: str
) -> None:
    canary = "C4nary-p4ss phrase/한글"
    settings.GUARDIA_CONNECT_SECONDS = 2
    tenant = Tenant(servers=0)
    with hostile(kind) as peer:
        address, port = peer
        secret = canary if kind in ("wrong_password", "hang_auth", "changed_key") else peer.password
        tenant.servers = [
            make_server(
                tenant.system,
                address=address,
                ssh_port=port,
                host_keys=[peer.host_key],
                credential=make_credential(tenant.institution, secret, username=peer.username),
            )
        ]
        task, _plan = tenant.approved()
        run_queue()
    assert OpsTask.objects.get(pk=task.pk).status == "ERR"
    assert_nowhere(secret, dump=dump(), log=log.lines, told=told())


def test_a_host_that_says_our_password_is_not_quoted(
    transactional_db: None, hosts: Fleet, in_english: None, log: Everything
) -> None:
    """Its start script writes what it knows; with a private key it knows nothing, so this is about passwords."""
    tenant = FleetTenant(hosts, count=1)
    host = next(iter(tenant.hosts.values()))
    if host.credential_kind != "password":
        pytest.skip("the hosts of this fleet take private keys")
    script = tenant.tree(host.hostname).startup
    original = script.read_text()
    try:
        script.write_text(original.replace("set -u", f"echo 'hello {host.credential_secret} there'\nset -u", 1))
        tenant.deploy("2.1.0")
    finally:
        script.write_text(original)
    assert StepResult.objects.filter(name="start", output__contains="hello ********").exists()
    assert_nowhere(host.credential_secret, dump=dump(), log=log.lines, told=told())
