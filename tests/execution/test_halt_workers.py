"""The kill switch when workers are killed, stopped or deaf, when hosts take no close, and with many hosts."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django_q.models import OrmQ

from audit.verifying.all_chains import verify_all
from demo.fleet import Fleet
from demo.fleet.hostile import hostile
from execution.models import Halt, HostRun, Run, StepResult
from execution.playbooks.publish import SHIPPED, publish_playbook
from execution.rollout.start_run import start_run
from execution.steps import ops
from tests.execution.fleet_tenant import actions, statuses
from tests.execution.halting import (
    ALL_CLOSED,
    HaltTenant,
    assert_nothing_began_after,
    driven,
    press,
    until_in,
    where,
)
from tests.execution.sleeping_hosts import sleeping_hosts
from tests.execution.worker import LEASE_SECONDS, Worker, until, workers
from tests.factories import Tenant, make_credential, make_server
from tickets.models import OpsTask


@pytest.fixture
def tenant(transactional_db: None, hosts: Fleet, in_english: None) -> Iterator[HaltTenant]:
    tenant = HaltTenant(hosts)
    yield tenant
    tenant.as_before()


@pytest.fixture
def start_worker(tenant: HaltTenant, home: Path) -> Iterator[Callable[[], Worker]]:
    with workers(home) as start:
        yield start


def begin_in_stop(tenant: HaltTenant, start: Callable[[], Worker], seconds: float) -> tuple[Worker, Run]:
    """Four hosts in their stop step, driven by a real worker."""
    for name in tenant.names:
        tenant.slow_stop(name, seconds)
    tenant.wait_for_start("2.1.0")
    worker = start()
    for name in tenant.names[:4]:
        until_in(name, "stop")
    return worker, Run.objects.get()


def test_a_real_worker_hears_a_press_from_the_console(tenant: HaltTenant, start_worker: Callable[[], Worker]) -> None:
    """With the queue emptied behind its back: nothing of this goes through the queue."""
    worker, run = begin_in_stop(tenant, start_worker, 60)
    OrmQ.objects.all().delete()
    call_command("halt", "--global", "--reason", "smoke")
    pressed = Halt.objects.get()
    assert_nothing_began_after(pressed)
    found = where(run)
    assert [found[name][0] for name in tenant.names] == ["UNCERTAIN"] * 4 + ["UNTOUCHED"]
    settled = HostRun.objects.filter(status="UNCERTAIN").values_list("finished_at", flat=True)
    assert all((at - pressed.halted_at).total_seconds() <= ALL_CLOSED for at in settled if at)
    assert (Run.objects.get().status, OpsTask.objects.get().status) == ("HALTED", "HLT")
    assert "kill switch" in worker.log.read_text()


def test_a_killed_workers_hosts_are_named_without_any_worker(
    tenant: HaltTenant, start_worker: Callable[[], Worker], settings: Any
) -> None:
    settings.GUARDIA_LEASE_SECONDS = LEASE_SECONDS
    worker, run = begin_in_stop(tenant, start_worker, 60)
    worker.kill()
    call_command("halt", "--run", str(run.pk), "--reason", "smoke")  # waits until the lease has ended
    found = where(run)
    assert [found[name][0] for name in tenant.names] == ["UNCERTAIN"] * 4 + ["UNTOUCHED"]
    assert (Run.objects.get().status, OpsTask.objects.get().status) == ("HALTED", "HLT")
    start_worker()
    time.sleep(3)
    assert_nothing_began_after(Halt.objects.get())
    assert all(report.is_intact for report in verify_all())


def test_a_worker_that_was_stopped_sees_the_halt_before_anything_else(
    tenant: HaltTenant, start_worker: Callable[[], Worker], settings: Any
) -> None:
    """SIGSTOP in the middle of a step of several commands; SIGCONT after everything was named."""
    settings.GUARDIA_LEASE_SECONDS = LEASE_SECONDS
    worker, run = begin_in_stop(tenant, start_worker, 4)
    family = worker.family()
    for process in family:
        process.suspend()
    call_command("halt", "--institution", tenant.institution.code, "--reason", "smoke")
    assert Run.objects.get().status == "HALTED"
    before = list(StepResult.objects.order_by("pk").values("pk", "status"))
    time.sleep(6)  # longer than the worker's patience with not seeing
    for process in family:
        os.kill(process.pid, signal.SIGCONT)
    time.sleep(4)
    assert list(StepResult.objects.order_by("pk").values("pk", "status")) == before, "it holds no claim any more"
    assert [actions(tenant, name) for name in tenant.names] == [["shutdown"]] * 4 + [[]], (
        "the hosts finished the command"
    )
    assert statuses(run)[tenant.names[4]] == "UNTOUCHED"


@pytest.mark.parametrize("kind", ["hang_exec", "drip", "flood"])
def test_a_host_that_does_not_take_a_close_is_let_go_in_time(
    tenant: HaltTenant, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.fleet.hostile_ssh.FLOOD_BYTES", 1 << 40)  # it must not end by itself in the grace
    # With a shell to share, a host that drips or floods is given up while that is opened: nothing were left to halt.
    monkeypatch.setattr("execution.ssh.connection.open_shell", lambda *_about: None)
    with hostile(kind) as peer:
        address, port = peer
        server = make_server(
            tenant.system,
            hostname="a-hostile",
            address=address,
            ssh_port=port,
            host_keys=[peer.host_key],
            credential=make_credential(tenant.institution, peer.password, username=peer.username),
        )
        tenant.servers = [server]
        run = tenant.begin()
        with driven(run) as worker:
            until_in("a-hostile", "check_disk")
            press(run)
            worker.join(ALL_CLOSED)
            assert not worker.is_alive()
    assert where(run) == {"a-hostile": ("HALTED", "Halted before step 1 of 9 (Check disk space).")}


@pytest.mark.slow
@pytest.mark.parametrize("count", [200, 1000])
def test_many_hosts_in_flight(
    transactional_db: None,
    in_english: None,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    count: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One worker with all of them in commands that never end."""
    settings.GUARDIA_HOSTS_AT_ONCE = count
    settings.GUARDIA_CONNECT_SECONDS = 300  # a thousand handshakes at once on a few cores
    monkeypatch.setitem(ops.run.__kwdefaults__, "seconds", 900)
    with sleeping_hosts(count) as many:
        tenant = Tenant(servers=0)
        more: dict[str, Any] = {}
        for port in many.ports:
            server = make_server(tenant.system, ssh_port=port, host_keys=[many.key_line], **more)
            more = {"site": server.site, "credential": server.credential, "profile": server.profile}
            tenant.servers.append(server)
        source = (SHIPPED / "was_rolling.yaml").read_text().replace("version: 2", "version: 3")
        publish_playbook(actor="test", source=source.replace('["1", "50%", "100%"]', '["100%"]'))
        task, _plan = tenant.approved()
        run = start_run(task.pk)
        assert run is not None
        begun = StepResult.objects.filter(status="STARTED")
        with driven(run) as worker:
            until(lambda: begun.count() == count and many.open == count, 300, pause=0.5)
            began = time.monotonic()
            pressed = press(run)
            answered = time.monotonic() - began
            until(lambda: many.open == 0, 60)
            closed = time.monotonic() - began
            worker.join(120)
            named = time.monotonic() - began
    assert_nothing_began_after(pressed)
    assert [status for status, _error in where(run).values()] == ["HALTED"] * count
    assert Run.objects.get(pk=run.pk).status == "HALTED"
    with capsys.disabled():
        print(
            f"\n{count} hosts: pressed in {answered:.1f} s, channels closed after {closed:.1f} s, named {named:.1f} s"
        )
    assert closed <= ALL_CLOSED
