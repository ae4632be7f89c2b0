"""The kill switch while a run is under way: nothing new begins, what runs is closed, every host is named, and from
there it goes on, or back."""

import time
from collections.abc import Iterator

import pytest

from audit.verifying.all_chains import verify_all
from demo.fleet import Fleet
from execution.halts.lift import lift_halt
from execution.models import Halt, HostLock, Run, RunEvent
from execution.rollout.after_halt import close_halted, resume_halted, roll_back_halted
from execution.rollout.drive import drive_run
from governance.exceptions import EvidenceMissing
from governance.services.take_over import take_over
from guardia.common.errors import NotPermitted, StaleState
from notifications.models import Notification
from tests.execution.fleet_tenant import actions, assert_consistent, statuses
from tests.execution.halting import (
    ALL_CLOSED,
    HaltTenant,
    assert_nothing_began_after,
    driven,
    open_lines,
    press,
    until_in,
    where,
)
from tests.execution.worker import until
from tests.queue import run_queue
from tickets.models import OpsTask


@pytest.fixture
def tenant(transactional_db: None, hosts: Fleet, in_english: None) -> Iterator[HaltTenant]:
    tenant = HaltTenant(hosts)
    yield tenant
    tenant.as_before()


def task_of(run: Run) -> OpsTask:
    return OpsTask.objects.get(pk=run.task_id)


def test_hosts_in_commands_uploads_and_to_come_are_each_named(tenant: HaltTenant) -> None:
    done, stopping, other, uploading, later = tenant.names
    run = tenant.begin()
    tenant.slow_stop(stopping, 60)
    tenant.slow_stop(other, 60)
    tenant.stuck_upload(uploading, run.task.task_id)
    with driven(run) as worker:
        for name in (stopping, other):
            until_in(name, "stop")
        until_in(uploading, "upload")
        until(lambda: statuses(run)[done] == "DONE")
        pressed = press(run)
        began = time.monotonic()
        assert statuses(run)[later] == "UNTOUCHED", "by the one who pressed, at once"
        until(lambda: not open_lines(tenant), ALL_CLOSED)
        worker.join(ALL_CLOSED)
        assert time.monotonic() - began <= ALL_CLOSED
    assert_nothing_began_after(pressed)
    found = where(run)
    assert {name: found[name][0] for name in found} == {
        done: "DONE",
        stopping: "UNCERTAIN",
        other: "UNCERTAIN",
        uploading: "HALTED",
        later: "UNTOUCHED",
    }
    assert found[uploading][1] == "Halted before step 3 of 9 (Upload)."
    assert actions(tenant, later) == [] and actions(tenant, done) == ["shutdown", "startup"]
    ended = Run.objects.get(pk=run.pk)
    assert (ended.status, task_of(run).status, ended.finished_at) == ("HALTED", "HLT", None)
    assert "얼룩말이 보입니다" in task_of(run).reason and "console:test" in task_of(run).reason
    assert HostLock.objects.filter(run=run).count() == 5, "nobody else works there before people have looked"
    told = set(Notification.objects.filter(kind="run_halted").values_list("recipient", flat=True))
    assert {tenant.pm.pk, tenant.owner.pk, tenant.site_manager.pk} <= told
    kinds = list(RunEvent.objects.filter(run=run).order_by("number").values_list("kind", flat=True))
    assert kinds.count("run_stopping") == kinds.count("run_halted") == 1
    assert all(report.is_intact for report in verify_all())


def test_what_ends_by_itself_within_the_grace_is_not_uncertain(tenant: HaltTenant) -> None:
    run = tenant.begin()
    for name in tenant.names:
        tenant.slow_stop(name, 2.5)
    with driven(run):
        until_in(tenant.names[0], "stop")
        pressed = press(run)
    assert_nothing_began_after(pressed)
    found = where(run)
    assert found[tenant.names[0]] == ("HALTED", "Halted before step 6 of 9 (Back up).")
    assert "UNCERTAIN" not in statuses(run).values()


def test_a_halted_run_goes_on_with_what_was_approved(tenant: HaltTenant) -> None:
    """What was done isn't done again, what was cut is probed, what was spared is caught up with."""
    _first, slow, *_others = tenant.names
    run = tenant.begin()
    tenant.slow_stop(slow, 8)
    with driven(run):
        until_in(slow, "stop")
        press(run)
    assert statuses(run)[slow] == "UNCERTAIN"
    before = run.plan.digest
    with pytest.raises(NotPermitted):
        resume_halted(actor=tenant.owner, task_id=run.task.task_id, reason="again")
    resume_halted(actor=tenant.pm, task_id=run.task.task_id, reason="a false alarm")
    assert not Halt.objects.filter(lifted_at=None).exists(), "the press was for this run alone"
    until(lambda: "shutdown" in actions(tenant, slow))  # the host did not hear of the halt
    drive_run(run.pk)
    ended = Run.objects.get(pk=run.pk)
    assert (ended.status, task_of(run).status, ended.plan.digest) == ("SUCCEEDED", "VAL", before)
    assert set(statuses(run).values()) == {"DONE"}
    for name in tenant.names:
        assert actions(tenant, name) == ["shutdown", "startup"], name
    assert {state.version for state in tenant.states().values()} == {"2.1.0"}
    assert_consistent(run)


def test_what_was_begun_goes_back_where_that_was_chosen(tenant: HaltTenant) -> None:
    """Also what had been done: wave by wave. The uncertain host is probed on its way back."""
    before = tenant.states()
    done, slow, *_rest, later = tenant.names
    run = tenant.begin()
    tenant.slow_stop(slow, 7)
    with driven(run):
        until(lambda: statuses(run)[done] == "DONE")
        until_in(slow, "stop")
        pressed = press(run, rolls_back=True)
    run_queue()
    assert_nothing_began_after(pressed)
    found = statuses(run)
    assert found.pop(later) == "UNTOUCHED" and set(found.values()) == {"UNDONE"}
    states = tenant.states()
    assert {name: (state.status, state.version) for name, state in states.items()} == {
        name: (200, before[name].version) for name in tenant.names
    }
    assert [entry.kind for entry in run.events.filter(kind__in=["run_halted", "rollback_started"])] == [
        "run_halted",
        "rollback_started",
    ]
    assert (Run.objects.get(pk=run.pk).status, task_of(run).status) == ("ROLLED_BACK", "ERR")
    assert not Halt.objects.filter(lifted_at=None).exists(), "the run it stopped has ended"
    assert_consistent(run)


def test_a_pm_chooses_the_way_back_afterwards(tenant: HaltTenant) -> None:
    done, slow, *_rest = tenant.names
    run = tenant.begin()
    tenant.slow_stop(slow, 6.5)
    with driven(run):
        until(lambda: statuses(run)[done] == "DONE")
        until_in(slow, "stop")
        press(run)
    with pytest.raises(EvidenceMissing, match=slow):
        close_halted(actor=tenant.pm, task_id=run.task.task_id, reason="never mind")
    roll_back_halted(actor=tenant.pm, task_id=run.task.task_id, reason="back")
    with pytest.raises(StaleState):
        resume_halted(actor=tenant.pm, task_id=run.task.task_id, reason="again")
    drive_run(run.pk)
    assert (Run.objects.get(pk=run.pk).status, task_of(run).status) == ("ROLLED_BACK", "ERR")
    assert {state.status for state in tenant.states().values()} == {200}
    assert_consistent(run)


@pytest.mark.slow
def test_a_way_back_can_be_halted_too_and_is_finished_later(tenant: HaltTenant) -> None:
    done, slow, *_rest = tenant.names
    run = tenant.begin()
    tenant.slow_stop(slow, 6)
    with driven(run):
        until(lambda: statuses(run)[done] == "DONE")
        until_in(slow, "stop")
        press(run)
    tenant.slow_stop(done, 30)
    roll_back_halted(actor=tenant.pm, task_id=run.task.task_id, reason="back")
    with driven(run):
        until_in(done, "start", "UNDO")  # the undo of the start is a stop, and that is slow now
        pressed = press(run)
    assert_nothing_began_after(pressed, "UNDO")
    assert (Run.objects.get(pk=run.pk).status, task_of(run).status) == ("HALTED", "HLT")
    assert statuses(run)[done] == "UNCERTAIN"
    with pytest.raises(StaleState, match="rolled back"):
        resume_halted(actor=tenant.pm, task_id=run.task.task_id, reason="on")
    tenant.as_before()
    roll_back_halted(actor=tenant.pm, task_id=run.task.task_id, reason="back")
    drive_run(run.pk)
    ended = Run.objects.get(pk=run.pk)
    assert ended.status in ("ROLLED_BACK", "MANUAL")
    assert_consistent(run)


def test_a_halted_task_is_taken_over_or_closed(tenant: HaltTenant) -> None:
    run = tenant.begin()
    pressed = press(run)
    assert statuses(run) == dict.fromkeys(tenant.names, "UNTOUCHED"), "nobody drives it: the press alone ends it"
    assert task_of(run).status == "HLT"
    close_halted(actor=tenant.pm, task_id=run.task.task_id, reason="not today")
    task = task_of(run)
    assert (task.status, task.closed_at is not None) == ("ERR", True)
    assert Halt.objects.get(pk=pressed.pk).lifted_at is not None
    assert_consistent(run)
    other = tenant.begin("2.1.1")
    press(other)
    take_over(actor=tenant.pm, task_id=other.task.task_id, reason="by hand")
    assert task_of(other).status == "MAN"
    assert_consistent(other)
    with pytest.raises(StaleState):
        lift_halt(actor="console:test", pk=pressed.pk, reason="again")
