"""Runs on hosts that only a gateway reaches, with real processes in two networks: the link is cut and mended in each
phase, processes are killed, the gateway is stolen. Whatever happens: what the rows say is what the hosts show."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from audit.models import Chain, Entry
from audit.verifying.all_chains import verify_all
from execution.choices import HaltScope
from execution.gateways import keeping
from execution.halts.press import halt
from execution.models import GatewayOrder, HostRun, Run, RunEvent, StepResult
from execution.rollout.after_halt import resume_halted
from tests.execution.fleet_tenant import actions, assert_consistent, statuses
from tests.execution.gateways.conftest import Field
from tests.execution.gateways.place import FarFleet, versions
from tests.execution.worker import until
from tickets.models import OpsTask

pytestmark = pytest.mark.slow


def begun(step: str, phase: str = "APPLY") -> Callable[[], bool]:
    return lambda: StepResult.objects.filter(name=step, phase=phase).exists()


def all_did(field: Field, words: list[str]) -> bool:
    return all(actions(field.tenant, name) == words for name in field.tenant.hosts)


def assert_done_once(field: Field, run: Run) -> None:
    assert run.status == "SUCCEEDED", (run.reason, statuses(run), field.home.said()[-3000:])
    assert_consistent(run)
    assert all_did(field, ["shutdown", "startup"]), "each host once"
    assert set(versions(field.tenant.fleet, field.network)) == {"2.1.0"}
    attempts = StepResult.objects.filter(status="OK").values_list("host_run", "phase", "order")
    assert len(attempts) == len(set(attempts))
    assert not GatewayOrder.objects.filter(settled_at=None).exists() and field.row().alarm == ""


@pytest.fixture
def slow_start(far: FarFleet) -> Iterator[None]:
    """Services that take their time: something is under way when it halts."""
    scripts = [far.tree(spec).startup for spec in far.hosts]
    before = [script.read_text() for script in scripts]
    for script, text in zip(scripts, before, strict=True):
        script.write_text(text.replace("\n", "\nsleep 12\n", 1))
    yield
    for script, text in zip(scripts, before, strict=True):
        script.write_text(text)


def test_a_run_goes_through_the_gateway(field: Field) -> None:
    field.start_worker()
    field.tenant.wait_for_start("2.1.0")
    run = field.finished()
    assert_done_once(field, run)
    chain = Chain.objects.get(key=f"gateway:{field.gateway.full_code}")
    told = Entry.objects.filter(chain=chain, action="host.done").values_list("task_id", flat=True)
    assert list(told) == [run.task.task_id] * len(field.tenant.servers)
    assert next(one for one in verify_all() if one.chain == chain.key).is_intact
    own = field.home.manage("audit_verify")
    assert own.returncode == 0 and chain.key in own.stdout, own.stdout + own.stderr


def test_what_fails_there_is_rolled_back_there(field: Field) -> None:
    field.start_worker()
    field.tenant.wait_for_start("2.1.0", broken=True)
    run = field.finished()
    assert run.status == "ROLLED_BACK", (run.reason, statuses(run), field.home.said()[-3000:])
    assert_consistent(run)
    assert set(versions(field.tenant.fleet, field.network)) == {"2.0.0"}


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [("before the order", 3.0), ("upload", 3.0), ("stop", 4.0), ("start", 6.0), ("between waves", 3.0)],
)
def test_the_link_is_cut_and_mended(field: Field, moment: str, seconds: float) -> None:
    field.start_worker()
    if moment == "before the order":
        field.network.cut()
        field.tenant.wait_for_start("2.1.0")
        until(lambda: Run.objects.exists(), 60, pause=0.2)
    else:
        field.tenant.wait_for_start("2.1.0")
        between = lambda: RunEvent.objects.filter(kind="wave_opened").exists()  # noqa: E731 - one of two conditions
        until(between if moment == "between waves" else begun(moment), 90)
        field.network.cut()
    time.sleep(seconds)
    field.network.mend()
    assert_done_once(field, field.finished())


def test_what_was_done_while_the_link_was_cut_is_handed_over_once(field: Field) -> None:
    field.start_worker()
    field.tenant.wait_for_start("2.1.0")
    until(begun("upload"), 90)
    field.network.cut()
    canary = Run.objects.get().plan.content["waves"][0]
    until(lambda: all(actions(field.tenant, name) == ["shutdown", "startup"] for name in canary), 60, pause=0.2)
    time.sleep(3)
    assert HostRun.objects.filter(status="DONE").count() == 0, "nobody here knows yet"
    field.network.mend()
    assert_done_once(field, field.finished())
    kinds = RunEvent.objects.filter(kind="host_settled").values_list("host_run", flat=True)
    assert len(kinds) == len(set(kinds))


def test_the_gateway_is_killed_in_a_step_and_started_again(field: Field) -> None:
    field.start_worker()
    field.tenant.wait_for_start("2.1.0")
    until(begun("stop"), 90)
    field.home.kill()
    time.sleep(3)
    field.home.start()
    run = field.finished()
    assert run.status in ("SUCCEEDED", "MANUAL", "ROLLED_BACK"), run.status
    assert_consistent(run)
    for name in field.tenant.hosts:
        did = actions(field.tenant, name)
        assert did.count("startup") <= 2 and "startup-refused" not in did, (name, did)
    if run.status == "SUCCEEDED":
        assert_done_once(field, run)


def test_the_cores_web_and_workers_are_killed_in_the_middle(field: Field) -> None:
    worker = field.start_worker()
    field.tenant.wait_for_start("2.1.0")
    until(begun("stop"), 90)
    worker.kill()
    field.web.process.kill()
    time.sleep(4)
    field.web.start()
    field.start_worker()
    assert_done_once(field, field.finished())


def test_the_kill_switch_at_the_core_reaches_it(field: Field) -> None:
    field.start_worker()
    field.tenant.wait_for_start("2.1.0")
    until(begun("upload"), 90)
    halt(actor=field.tenant.pm, scope=HaltScope.RUN, task_id=OpsTask.objects.get().task_id, reason="smoke")
    until(lambda: Run.objects.get().status == "HALTED", 60, pause=0.2)
    found = statuses(Run.objects.get())
    assert set(found.values()) <= {"HALTED", "UNTOUCHED", "UNCERTAIN", "DONE"} and "UNTOUCHED" in found.values(), found
    resume_halted(actor=field.tenant.pm, task_id=OpsTask.objects.get().task_id, reason="no fire")
    run = field.finished()
    assert run.status in ("SUCCEEDED", "MANUAL"), (run.status, run.reason, field.home.said()[-2000:])
    assert_consistent(run)


def test_a_press_at_the_gateway_stops_the_run_at_the_core(field: Field, slow_start: None) -> None:
    field.start_worker()
    field.tenant.wait_for_start("2.1.0")
    until(begun("stop"), 90)
    pressed = field.home.manage("halt", "--global", "--reason", "water in the room")
    assert pressed.returncode == 0, pressed.stdout + pressed.stderr
    until(lambda: Run.objects.get().status == "HALTED", 60, pause=0.2)
    assert "water in the room" in Run.objects.get().reason


class TestHalting:
    @pytest.fixture
    def policy(self) -> dict[str, Any]:
        return {"when_away": "HALT", "away_seconds": 10}

    def test_alone_for_too_long_it_halts_and_names_every_host(self, field: Field, slow_start: None) -> None:
        field.start_worker()
        field.tenant.wait_for_start("2.1.0")
        until(begun("stop"), 90)
        field.network.cut()
        until(lambda: "kill switch" in field.home.said(), 90, pause=0.2)
        time.sleep(3)
        assert Run.objects.get().status == "RUNNING", "nobody here knows yet"
        field.network.mend()
        until(lambda: Run.objects.get().status == "HALTED", 90, pause=0.2)
        run = Run.objects.get()
        assert "core is away" in run.halt.halted_as and OpsTask.objects.get().status == "HLT"
        found = set(statuses(run).values())
        assert found <= {"HALTED", "UNCERTAIN", "UNTOUCHED"} and "UNTOUCHED" in found, statuses(run)


def test_stolen_in_the_middle_and_revoked(field: Field) -> None:
    field.start_worker()
    field.tenant.wait_for_start("2.1.0")
    until(begun("upload"), 90)
    keeping.revoke_gateway(actor=field.admin, gateway_pk=field.gateway.pk, reason="stolen")
    taken = field.row().taken_number
    until(lambda: "has revoked this gateway" in field.home.said(), 60, pause=0.2)
    until(lambda: Run.objects.get().status == "HALTED", 60, pause=0.2)
    assert "UNCERTAIN" in statuses(Run.objects.get()).values()
    assert not (field.home.folder / "keys" / "gateway" / "sign.pem").exists()
    time.sleep(3)
    assert field.row().taken_number == taken, "nothing more is taken"
    assert not GatewayOrder.objects.filter(settled_at=None).exists(), "and nothing is given"
