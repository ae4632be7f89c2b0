"""Runs that are under way when somebody presses the kill switch."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psutil
from django.db import connection

import demo.fleet
from demo.fleet import Fleet
from execution.choices import HaltScope
from execution.halts.press import halt
from execution.models import Halt, HostRun, Run, StepResult
from execution.playbooks.publish import SHIPPED, publish_playbook
from execution.rollout.drive import drive_run
from execution.rollout.start_run import start_run
from tests.execution.fleet_tenant import FleetTenant, artefact
from tests.execution.worker import until

_SCRIPT = Path(demo.fleet.__file__).parent / "scripts" / "shutdown.sh"
_numbers = count()
NO_NEW_STEP = timedelta(seconds=2)
ALL_CLOSED = 10.0


class HaltTenant(FleetTenant):
    """Every host stands alone, and all but the last go in one wave."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__(fleet, group="")
        self.profile.stop_seconds = 40
        self.profile.save()
        source = (SHIPPED / "was_rolling.yaml").read_text().replace("version: 2", "version: 3")
        publish_playbook(actor="test", source=source.replace('["1", "50%", "100%"]', '["4", "100%"]'))
        self.names = sorted(self.hosts)

    def begin(self, version: str = "2.1.0") -> Run:
        task, _plan = self.approved(content=artefact(version))
        run = start_run(task.pk)
        assert run is not None
        return run

    def slow_stop(self, hostname: str, seconds: float) -> None:
        """The host's shutdown script sleeps before it does what it should."""
        script = self.tree(hostname).shutdown
        real = script.with_name(f"shutdown-{next(_numbers)}.sh")
        real.write_text(_SCRIPT.read_text())
        real.chmod(0o755)
        script.write_text(f'#!/bin/sh\nsleep {seconds}\nexec "$(dirname "$0")/{real.name}"\n')

    def as_before(self) -> None:
        """Every host's own script again; one that still sleeps finds nothing to go on with."""
        for name in self.names:
            script = self.tree(name).shutdown
            for other in script.parent.glob("shutdown-*.sh"):
                other.unlink()
            script.write_text(_SCRIPT.read_text())

    def stuck_upload(self, hostname: str, task_id: str) -> None:
        """Where the upload is to lie is a pipe that nobody reads: the host's SFTP server hangs in its open."""
        os.mkfifo(self.tree(hostname).root / "incoming" / f"{task_id}.new")


@contextmanager
def driven(run: Run) -> Iterator[threading.Thread]:
    """A worker's part in the run, in a thread; it has ended when the block has."""

    def body() -> None:
        try:
            drive_run(run.pk)
        finally:
            connection.close()

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    yield thread
    thread.join(90)
    assert not thread.is_alive()


def until_in(hostname: str, step: str, phase: str = "APPLY") -> None:
    """Wait until the host has been in the step for a moment."""
    begun = StepResult.objects.filter(host_run__server__hostname=hostname, name=step, phase=phase, status="STARTED")
    until(begun.exists)
    time.sleep(0.5)


def press(run: Run, **options: Any) -> Halt:
    """The run's kill switch, from a console."""
    options = {"scope": HaltScope.RUN, "run_pk": run.pk, "reason": "얼룩말이 보입니다", **options}
    return halt(actor="console:test", **options)


def open_lines(tenant: FleetTenant) -> list[Any]:
    """Connections of this process to the hosts' SSH ports."""
    doors = {(host.address, host.port) for host in tenant.hosts.values()}
    lines = psutil.Process().net_connections("tcp")
    return [line for line in lines if line.raddr and tuple(line.raddr) in doors and line.status == "ESTABLISHED"]


def assert_nothing_began_after(pressed: Halt, phase: str = "APPLY") -> None:
    pressed = Halt.objects.get(pk=pressed.pk)
    late = StepResult.objects.filter(phase=phase, started_at__gt=pressed.halted_at + NO_NEW_STEP)
    assert not late.exists(), list(late.values("name", "started_at"))


def where(run: Run) -> dict[str, tuple[str, str]]:
    rows = HostRun.objects.filter(wave__run=run).select_related("server")
    return {row.server.hostname: (row.status, row.error) for row in rows}
