"""What is between the worker and its peers goes away in the middle of a run: the database, the line to a host, the host
itself, its disk, its health. Whatever happens, the run ends in a true state."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.db import connection

from demo.artefacts import build_artefact
from execution.models import HostRun, Run, StepResult
from execution.rollout.start_run import start_run
from tests.execution.fleet_tenant import FleetTenant, actions, assert_consistent, host_run, statuses
from tests.execution.lines import Line, database_line, tcp_line, when
from tests.execution.test_worker_death import check_truth
from tests.execution.worker import until, workers
from tests.queue import run_queue
from tickets.models import OpsTask

AWAY_SECONDS = 60


def reached(name: str, phase: str = "APPLY") -> Callable[[], bool]:
    def condition() -> bool:
        return StepResult.objects.filter(name=name, phase=phase).exists()

    return condition


@pytest.fixture
def database(tenant: FleetTenant) -> Iterator[tuple[Line, Path]]:
    """A line to the database, and the folder where a worker finds it."""
    given = connection.get_connection_params()
    real = Path(str(given.get("host"))) / f".s.PGSQL.{given.get('port') or 5432}"
    if not real.exists():
        pytest.skip("the database of the tests has no socket of its own")
    with tempfile.TemporaryDirectory(prefix="guardia-") as folder, database_line(Path(folder), real) as line:
        yield line, Path(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "broken", "phase"),
    [
        ("upload", False, "APPLY"),
        ("stop", False, "APPLY"),
        ("start", False, "APPLY"),
        ("health", False, "APPLY"),
        ("stop", True, "UNDO"),
    ],
)
def test_the_database_is_away_for_a_minute(
    tenant: FleetTenant, home: Path, database: tuple[Line, Path], step: str, broken: bool, phase: str
) -> None:
    line, folder = database
    tenant.wait_for_start("2.1.0", broken=broken)
    with workers(home, sockets=folder) as start:
        worker = start()
        until(reached(step, phase))
        line.cut()
        time.sleep(AWAY_SECONDS)
        told = [process.pid for process in worker.family()]
        line.mend()
        until(lambda: not Run.objects.get().is_living, 120, pause=0.1)
        assert worker.process.poll() is None and worker.process.pid in told, "the same worker goes on by itself"
    run = Run.objects.get()
    check_truth(tenant, run)
    assert run.status in (("ROLLED_BACK", "MANUAL") if broken else ("SUCCEEDED", "MANUAL"))


def through_a_line(tenant: FleetTenant, stack: ExitStack) -> Line:
    """The canary is reached through a line that can be cut."""
    server = tenant.servers[sorted(tenant.hosts).index(min(tenant.hosts))]
    line, port = stack.enter_context(tcp_line((server.address, server.ssh_port)))
    server.ssh_port = port
    server.save()
    return line


def large_deployment(tenant: FleetTenant, folder: Path) -> Run:
    """12 MiB for each host; made ready, not driven yet."""
    content = build_artefact(folder / "large.war", "2.1.0", size=12 << 20).read_bytes()
    task, _plan = tenant.approved(content=content)
    run = start_run(task.pk)
    assert run is not None
    return run


@pytest.mark.parametrize("is_back_at_once", [True, False])
def test_the_line_is_cut_in_the_middle_of_an_upload(tenant: FleetTenant, tmp_path: Path, is_back_at_once: bool) -> None:
    canary = min(tenant.hosts)
    before = tenant.states()[canary]
    with ExitStack() as stack:
        line = through_a_line(tenant, stack)
        run = large_deployment(tenant, tmp_path)

        def cut() -> None:
            line.cut()
            if is_back_at_once:
                line.mend()

        when(lambda: line.passed > 5 << 20, cut)
        run_queue()
    run.refresh_from_db(fields=["reason"])
    host = host_run(run, canary)
    assert not (tenant.tree(canary).root / "incoming" / f"{run.task.task_id}.new").exists() or not is_back_at_once
    assert host.status in ("UNDONE", "FAILED", "UNDO_FAILED", "UNCERTAIN")
    assert host.error or StepResult.objects.get(host_run=host, name="upload").error_code == "connection_lost"
    assert actions(tenant, canary) == [] and tenant.states()[canary] == before, "nothing had been touched"
    assert set(statuses(run).values()) == {host.status, "UNTOUCHED"}
    assert OpsTask.objects.get(pk=run.task_id).status in ("ERR", "MAN")
    assert_consistent(run)


@pytest.mark.parametrize("step", ["stop", "start", "health"])
def test_the_host_reboots_in_the_middle_of_a_step(tenant: FleetTenant, tmp_path: Path, step: str) -> None:
    canary = min(tenant.hosts)
    tree = tenant.tree(canary)
    with ExitStack() as stack:
        line = through_a_line(tenant, stack)
        task, _plan = tenant.wait_for_start("2.1.0")
        run = start_run(task.pk)
        assert run is not None

        def reboot() -> None:
            line.cut()
            if tree.pid_file.exists():
                subprocess.run(["kill", "-9", tree.pid_file.read_text().strip()], capture_output=True)
            threading.Timer(3, line.mend).start()

        when(reached(step), reboot)
        run_queue()
        time.sleep(3)
        run_queue()
    run = Run.objects.get(pk=run.pk)
    host = host_run(run, canary)
    assert run.status in ("ROLLED_BACK", "MANUAL")
    assert host.status in ("UNDONE", "UNDO_FAILED", "UNCERTAIN", "FAILED")
    task = OpsTask.objects.get(pk=task.pk)
    assert canary in task.reason
    if host.status == "UNDONE":
        assert tenant.states()[canary].status == 200, "a host that is said to be well is well"
    assert "startup-refused" not in actions(tenant, canary)
    assert set(statuses(run).values()) == {host.status, "UNTOUCHED"}
    assert_consistent(run)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk that is full")
def test_the_disk_of_a_host_is_full(tenant: FleetTenant, tmp_path: Path) -> None:
    canary = min(tenant.hosts)
    before = tenant.states()[canary]
    incoming = tenant.tree(canary).root / "incoming"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=777", "tmpfs", incoming], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("nothing may be mounted here")
    try:
        run = large_deployment(tenant, tmp_path)
        run_queue()
    finally:
        subprocess.run(["umount", incoming], check=True)
    host = host_run(Run.objects.get(pk=run.pk), canary)
    assert host.status in ("UNDONE", "FAILED")
    failed = StepResult.objects.get(host_run=host, status="FAILED")
    assert failed.name in ("check_disk", "upload") and host.error
    assert actions(tenant, canary) == [] and tenant.states()[canary] == before
    assert OpsTask.objects.get(pk=run.task_id).status == "ERR"
    assert_consistent(run)


def test_a_service_that_flaps_is_not_well(tenant: FleetTenant) -> None:
    canary = tenant.servers[sorted(tenant.hosts).index(min(tenant.hosts))]
    looks: list[int] = []

    class Flapping(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            looks.append(len(looks))
            self.send_response(503 if looks[-1] % 2 else 200)
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    with ThreadingHTTPServer((canary.address, 0), Flapping) as flapping:
        threading.Thread(target=flapping.serve_forever, daemon=True).start()
        canary.http_port = flapping.server_port
        canary.save()
        run = tenant.deploy("2.1.0")
        flapping.shutdown()
    step = StepResult.objects.get(host_run__server=canary, name="health", phase="APPLY")
    assert step.status == "FAILED" and "HTTP 200" in step.output and "HTTP 503" in step.output
    assert HostRun.objects.get(server=canary).status in ("UNDONE", "UNDO_FAILED")
    assert run.status in ("ROLLED_BACK", "MANUAL")
    assert_consistent(run)
