"""Everything is down for a day of the clock, database and workers alike: on the return each deadline that has passed
fires once and in order. Real processes, killed without a word, that come back a day later (libfaketime)."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from guardia.embedded import cluster as embedded
from guardia.embedded.account import server_account
from guardia.embedded.binaries import find_binaries
from guardia.embedded.layout import Layout

REPOSITORY = Path(__file__).resolve().parents[2]
LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
TASKS, WITHIN = 8, 60
FILE = f"""
import django; django.setup()
from tests.factories import Tenant
tenant = Tenant(servers=1)
for _number in range({TASKS}):
    tenant.planned()
"""
#: How a step stands after the first, second and third day: each level had its whole time.
AFTER = [(1, "PENDING", "approval.escalated"), (2, "PENDING", "approval.escalated"), (2, "EXPIRED", "approval.expired")]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(LIBRARY is None, reason="needs Debian's package faketime"),
]


class Machine:
    """A database server and two workers of one home, all of them at a clock that is some days ahead."""

    def __init__(self, home: Path) -> None:
        self.layout = Layout.of(home)
        self.layout.prepare()
        account = server_account(self.layout.data)
        self.cluster = embedded.Cluster(self.layout, find_binaries(account, self.layout.root), account)
        self.cluster.prepare()
        self.url = self.layout.url()

    @contextmanager
    def up(self, days: int, workers: int) -> Iterator[None]:
        """Ends as in a power cut."""
        clock = {"LD_PRELOAD": str(LIBRARY), "FAKETIME": f"+{days}d", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(embedded, "_ENVIRONMENT", {**embedded._ENVIRONMENT, **(clock if days else {})})
            started = [self.cluster.spawn()]
        try:
            _until(lambda: self.cluster.is_ready(started[0].pid))
            self.environment = {
                **os.environ,
                "GUARDIA_HOME": str(self.layout.home),
                "GUARDIA_DATABASE_URL": self.url,
                "GUARDIA_SECRET_KEY": "a" * 50,
                "GUARDIA_SWEEP_SECONDS": "1",
                "DJANGO_SETTINGS_MODULE": "guardia.settings",
                **(clock if days else {}),
            }
            started += [self.start("manage.py", "worker") for _worker in range(workers)]
            yield
        finally:
            for process in started:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.layout.home / "out.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *command],
                cwd=REPOSITORY,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, *command: str) -> None:
        assert self.start(*command).wait(120) == 0, (self.layout.home / "out.log").read_text()[-3000:]

    def rows(self, query: str, *values: Any) -> list[Any]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query, values).fetchall()  # type: ignore[arg-type]


def _until(condition: Any, seconds: float = 30) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, f"not within {seconds} s"
        time.sleep(0.1)


def test_after_days_without_any_process_each_deadline_fires_once_in_order(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    with machine.up(days=0, workers=0):
        machine.run("manage.py", "migrate", "-v", "0")
        machine.run("-c", FILE)
        steps = "FROM governance_approvalstep WHERE status <> 'WAITING' AND status <> 'VOID'"
        by_deadline = [str(pk) for (pk,) in machine.rows(f"SELECT id {steps} ORDER BY due_at, id")]
        assert len(by_deadline) == TASKS
        [(sealed,)] = machine.rows("SELECT max(id) FROM audit_entry")
    for day, (level, status, action) in enumerate(AFTER, start=1):
        with machine.up(days=day, workers=2):
            stand = f"SELECT count(*) {steps} AND escalation_level = %s AND status = %s"
            _until(lambda stand=stand, wanted=(level, status): machine.rows(stand, *wanted) == [(TASKS,)], WITHIN)
            time.sleep(5)  # more sweeps of both workers: nothing fires a second time
            told = machine.rows(
                "SELECT action, object_id FROM audit_entry WHERE id > %s AND action LIKE 'approval.%%' ORDER BY id",
                sealed,
            )
            assert told == [(action, pk) for pk in by_deadline]
            left = machine.rows(f"SELECT min(due_at - now()), max(due_at - now()) {steps} AND status = 'PENDING'")
            assert status == "EXPIRED" or all(0 < wait.total_seconds() <= 600 for wait in left[0]), (
                "the whole time again"
            )
            [(sealed,)] = machine.rows("SELECT max(id) FROM audit_entry")
    with machine.up(days=len(AFTER), workers=0):
        assert machine.rows("SELECT DISTINCT status FROM tickets_opstask") == [("REJ",)]
        machine.run("manage.py", "audit_verify")
