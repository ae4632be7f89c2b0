"""SIGKILL for the worker where a run isn't just going forward or back: in the look after the bake, in a second try, and
while people pause, leave out, or abort.

`GUARDIA_KILLS` says how often each place is hit, as in `test_kill_matrix`. In the end no step was done twice, no host
is unexplained, and the page and the chain say what the rows say.
"""

import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable

import pytest

from execution.choices import HeldFor, Phase, RollbackScope
from execution.models import HostRun, Run, StepResult
from execution.rollout.resume_run import resume_run
from execution.rollout.retry_failed import retry_failed
from execution.rollout.steer_run import abort_run, pause_run, skip_host
from execution.steps.ops import Step
from tests.execution.driver import MOMENTS, Drivers, Place
from tests.execution.fleet_tenant import FleetTenant, actions, assert_consistent, reset_hosts
from tests.execution.killing import again, all_wanted, assert_once, begun, drive, ended, kill_at, tenant
from tests.execution.strategies import publish_strategy, told
from tests.execution.test_kill_matrix import KILLS, SEED, check_words, finish
from tests.execution.worker import LEASE_SECONDS, until

__all__ = ["drive", "tenant"]  # fixtures of these suites
pytestmark = pytest.mark.slow


def test_killed_in_the_look_after_the_bake(tenant: FleetTenant, drive: Drivers) -> None:
    rare = random.Random(SEED)
    wanted = all_wanted([("CHECK", "health_after_bake", moment) for moment in MOMENTS], rare)
    for number in range(4 * KILLS):
        reset_hosts(tenant.fleet)
        run = begun(tenant, f"4.1.{number}", "{batches: [2, 100%], bake: 1}")
        ended(drive, run)
        assert again(run).held_for == HeldFor.BAKE
        time.sleep(1.1)
        kill_at(drive, run, wanted, rare, 3)
        run = finish(drive, run)
        assert (run.status, set(told(run).values())) == ("SUCCEEDED", {"DONE"}), run.reason
        looked = StepResult.objects.filter(host_run__wave__run=run, phase=Phase.CHECK, status="OK")
        assert looked.count() == 2 and looked.values("host_run").distinct().count() == 2
        assert_consistent(run)
        assert_once(tenant, run, sorted(tenant.hosts))
        check_words(tenant, run)
        if not wanted:
            break
    assert not wanted, wanted


def test_killed_in_the_look_after_the_bake_of_what_fell_ill(tenant: FleetTenant, drive: Drivers) -> None:
    """What the dead one saw and didn't say, the next one sees again: its wave goes back."""
    names = sorted(tenant.hosts)
    for number, moment in enumerate(MOMENTS * KILLS):
        reset_hosts(tenant.fleet)
        run = begun(tenant, f"4.2.{number}", "{batches: [2, 100%], bake: 1}")
        ended(drive, run)
        subprocess.run([str(tenant.tree(names[0]).shutdown)], check=True, capture_output=True, timeout=30)
        time.sleep(1.1)
        place = ("CHECK", "health_after_bake", moment)
        assert drive.end(drive.drive(run.pk, until=place, delay=0.02)) == "killed"
        run = finish(drive, run)
        assert run.status == "ROLLED_BACK"
        assert told(run) == {name: "UNDONE" if name in names[:2] else "UNTOUCHED" for name in names}
        assert {state.status for state in tenant.states().values()} == {200}
        assert_consistent(run)
        check_words(tenant, run)


def failed_once(tenant: FleetTenant, drive: Drivers, version: str) -> tuple[Run, str]:
    """A run that has succeeded but for one host, whose trouble is over."""
    name = sorted(tenant.hosts)[1]
    folder = tenant.tree(name).app / "backup"
    folder.rename(folder.with_name("gone"))
    try:
        run = begun(tenant, version, "{batches: [1, 100%], tolerate: {wave: 1, run: 1}}")
        ended(drive, run)
    finally:
        folder.with_name("gone").rename(folder)
    run = finish(drive, run)
    assert (run.status, told(run)[name]) == ("SUCCEEDED", "UNDONE"), run.reason
    for host in tenant.hosts:
        tenant.tree(host).actions.write_text("")
    return again(run), name


def test_killed_in_a_second_try(tenant: FleetTenant, drive: Drivers) -> None:
    rare = random.Random(SEED)
    wanted: list[Place] = []
    for number in range(30 * KILLS):  # each run meets one place at least
        reset_hosts(tenant.fleet)
        run, name = failed_once(tenant, drive, f"4.3.{number}")
        steps = run.plan.content["hosts"][name]["steps"]
        if number == 0:
            wanted = all_wanted([("APPLY", step["name"], moment) for step in steps for moment in MOMENTS], rare)
        retry_failed(actor=tenant.pm, task_id=run.task.task_id, reason="mended")
        kill_at(drive, run, wanted, rare, 4)
        run = finish(drive, run)
        rows = HostRun.objects.filter(wave__run=run, server__hostname=name).order_by("pk")
        assert [row.status for row in rows][:1] == ["RETRIED"] and len(rows) == 2
        check_second_try(tenant, again(run), name, steps)
        check_words(tenant, again(run))
        if not wanted:
            break
    assert not wanted, wanted


def check_second_try(tenant: FleetTenant, run: Run, name: str, steps: list[Step]) -> None:
    """The others were left alone; the one was deployed to once, or goes to people by name."""
    assert_consistent(run)
    for other in set(tenant.hosts) - {name}:
        assert actions(tenant, other) == [], other
    did = actions(tenant, name)
    if told(run)[name] == "DONE":
        assert run.status == "SUCCEEDED" and did == ["shutdown", "startup"]
    else:
        assert told(run)[name] in ("UNCERTAIN", "UNDO_FAILED") and run.status == "MANUAL" and name in run.reason
    assert did.count("startup") <= 2 and "startup-refused" not in did, did


def pause(tenant: FleetTenant, run: Run) -> None:
    pause_run(actor=tenant.pm, task_id=run.task.task_id, reason="phone call")


def leave_out(tenant: FleetTenant, run: Run) -> None:
    skip_host(actor=tenant.pm, task_id=run.task.task_id, hostname=sorted(tenant.hosts)[-1], reason="is moved tonight")


def abort(scope: RollbackScope) -> Callable[[FleetTenant, Run], None]:
    def act(tenant: FleetTenant, run: Run) -> None:
        abort_run(actor=tenant.pm, task_id=run.task.task_id, reason="wrong file", rollback=scope)

    return act


ACTS = {
    "pause": pause,
    "leave out": leave_out,
    **{f"abort, {scope}": abort(scope) for scope in RollbackScope},
}
#: (step that is under way, seconds between the act and the death)
_IN_FLIGHT = [("upload", 0.0), ("stop", 0.05), ("start", 0.2), ("health", 0.02)]


@pytest.mark.parametrize("act", ACTS)
def test_killed_while_people_steer(tenant: FleetTenant, drive: Drivers, act: str) -> None:
    """Somebody acts while hosts are in the middle of a step; then their worker dies."""
    publish_strategy("{batches: [2, 1, 100%]}")
    ends: Counter[str] = Counter()
    for number, (step, delay) in enumerate(_IN_FLIGHT * KILLS):
        reset_hosts(tenant.fleet)
        before = {name: state.version for name, state in tenant.states().items()}
        run = begun(tenant, f"4.4.{number}")
        pid = drive.drive(run.pk)
        until(lambda: StepResult.objects.filter(host_run__wave__run=run, name=step).exists())  # noqa: B023
        ACTS[act](tenant, again(run))
        taken = HostRun.objects.filter(wave__run=run, started_at__isnull=False)
        worked = set(taken.values_list("server__hostname", flat=True))
        time.sleep(delay)
        drive.kill(pid)
        time.sleep(LEASE_SECONDS + 0.2)
        if act == "pause":
            ended(drive, run)
            assert {name for name in tenant.hosts if actions(tenant, name)} <= worked, "nobody new in a pause"
            if again(run).is_living:
                assert again(run).held_for == HeldFor.PAUSE
                assert {name for name, status in told(run).items() if status == "PENDING"} == set(before) - worked
                resume_run(actor=tenant.pm, task_id=run.task.task_id)
        run = again(finish(drive, run))
        check_hosts(tenant, run, before)
        if run.status != "MANUAL":
            check_steered(tenant, run, act, worked)
        check_words(tenant, run)
        ends[run.status] += 1
    print(act, dict(ends))


def check_hosts(tenant: FleetTenant, run: Run, before: dict[str, str]) -> None:
    """What the rows say is what the hosts show; what nobody knows goes to people by name."""
    assert_consistent(run)
    found, states = told(run), tenant.states()
    for name, status in found.items():
        did = actions(tenant, name)
        assert did.count("startup") <= 2 and "startup-refused" not in did, (name, did)
        if status == "DONE":
            assert_once(tenant, run, [name])
        elif status in ("UNTOUCHED", "SKIPPED"):
            assert did == [], (name, did)
        elif status == "UNDONE":
            assert (states[name].status, states[name].version) == (200, before[name]), (name, did)
        else:
            assert status in ("UNCERTAIN", "UNDO_FAILED") and run.status == "MANUAL" and name in run.reason, found


def check_steered(tenant: FleetTenant, run: Run, act: str, worked: set[str]) -> None:
    found, last = told(run), sorted(tenant.hosts)[-1]
    if not act.startswith("abort"):
        left_out = {last: "SKIPPED"} if act == "leave out" else {}
        assert run.status == "SUCCEEDED", run.reason
        assert found == dict.fromkeys(tenant.hosts, "DONE") | left_out
        return
    wave = run.waves.filter(opened_at__isnull=False).order_by("-number")[0]
    current = set(wave.host_runs.values_list("server__hostname", flat=True))
    going_back = {"host": set[str](), "wave": worked & current, "run": worked}[act.rpartition(" ")[2]]
    assert run.status == "ABORTED" and "wrong file" in run.reason
    assert found == {
        name: "UNTOUCHED" if name not in worked else "UNDONE" if name in going_back else "DONE" for name in found
    }
