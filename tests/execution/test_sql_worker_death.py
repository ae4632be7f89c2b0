"""A worker dies while its change waits inside the database. What the client on the host did meanwhile is found out, not
done again; and a change that can't be found is done once."""

import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from execution.models import Run, StepResult
from tests.execution.databases import RealDatabase
from tests.execution.fleet_tenant import FleetTenant, assert_consistent
from tests.execution.test_sql_runs import CLEAN, Requests, fleet, real, requests, server
from tests.execution.worker import LEASE_SECONDS, Worker, until, workers

__all__ = ["fleet", "real", "requests", "server"]  # fixtures of the suite of runs


@pytest.fixture
def start_worker(tenant: FleetTenant, home: Path) -> Iterator[Callable[[], Worker]]:
    with workers(home) as start:
        yield start


@contextmanager
def held(real: RealDatabase) -> Iterator[None]:
    """The table is locked by somebody else, so that the change waits in the middle of its transaction."""
    if real.dialect == "postgresql":
        with psycopg.connect(**real.access) as connection:
            connection.execute("LOCK TABLE people IN SHARE MODE")
            yield
    elif real.dialect == "sqlite":
        other = sqlite3.connect(real.spec["database"], isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
        other.close()
    else:
        command = [*real.client, "--unbuffered"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdin is not None and other.stdout is not None
            other.stdin.write(b"START TRANSACTION; SELECT id FROM people FOR UPDATE;\n")
            other.stdin.flush()
            other.stdout.readline()
            yield
            other.stdin.close()
            other.wait(30)


@pytest.mark.parametrize("waits", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["inside", "just-begun"])
def test_a_worker_killed_in_a_change(
    requests: Requests, real: RealDatabase, start_worker: Callable[[], Worker], waits: bool
) -> None:
    requests.approved("DATA_CLEAN", **CLEAN)
    begun = StepResult.objects.filter(name="sql_clean", phase="APPLY")
    with held(real):
        victim = start_worker()
        until(begun.exists)
        time.sleep(1.5 if waits else 0)
        victim.kill()
    time.sleep(LEASE_SECONDS + 0.5)
    start_worker()
    until(lambda: not Run.objects.get().is_living, 120, pause=0.1)
    run = Run.objects.get()
    assert_consistent(run)
    assert run.status == "SUCCEEDED", (run.reason, list(StepResult.objects.values_list("name", "status", "output")))
    assert real.count() == 14 and real.count("state = 'old'") == 0
    assert len(real.tables()) == 3
    name = f"guardia_{run.task.task_id.lower().replace('-', '_')}"
    assert real.count(table=f"{name}_rows") == 6 and real.count(table=f"{name}_mark") == 1
    if waits:
        assert list(begun.values_list("status", flat=True)) == ["PROBED"]


@pytest.mark.slow
def test_the_worker_dies_between_the_steps(
    requests: Requests, real: RealDatabase, start_worker: Callable[[], Worker]
) -> None:
    requests.approved("DATA_CLEAN", **CLEAN)
    victim = start_worker()
    until(StepResult.objects.filter(name="sql_clean", status="OK").exists)
    victim.kill()
    time.sleep(LEASE_SECONDS + 0.5)
    start_worker()
    until(lambda: not Run.objects.get().is_living, 120, pause=0.1)
    run = Run.objects.get()
    assert_consistent(run)
    assert run.status == "SUCCEEDED", run.reason
    assert real.count() == 14 and StepResult.objects.filter(name="sql_clean").count() == 1
