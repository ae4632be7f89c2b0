"""Approved work outside its hours waits in SCH and starts by itself; a run is held between waves, never within one."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.choices import Role
from audit.models import Entry
from execution.exceptions import NotNow
from execution.models import HostRun, Run
from execution.rollout.advance import advance
from execution.rollout.resume_run import resume_run
from execution.rollout.start_run import start_run
from execution.rollout.sweep import sweep
from governance.choices import Decision
from governance.exceptions import ReasonMissing
from governance.models import ChangeWindow, Freeze
from governance.services.freeze_exceptions import decide_freeze_exception, request_freeze_exception
from governance.services.save_hours import save_window
from governance.services.schedule_task import run_later, set_priority
from guardia.common.clock import now
from guardia.common.errors import InvalidInput, NotPermitted, NotVisible, StaleState
from notifications.models import Notification
from tests.audit.words import words_of
from tests.factories import Tenant, make_user
from tests.governance.hours import closed_window, freeze
from tests.queue import waiting
from tests.snapshot import nothing_changes
from tickets.choices import Priority
from tickets.exceptions import NotInThatState
from tickets.models import OpsTask

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_english")]


@pytest.fixture
def tenant() -> Tenant:
    return Tenant(servers=3)


def fresh(task: OpsTask) -> OpsTask:
    return OpsTask.objects.get(pk=task.pk)


def starts() -> list[int]:
    """The tasks whose start the queue holds, in its order; the queue is emptied."""
    from django_q.models import OrmQ

    rung = [int(arguments[0]) for name, arguments in waiting() if name == "execution.tasks.start_run"]
    OrmQ.objects.all().delete()
    return rung


def reopen(window: ChangeWindow) -> None:
    window.starts_at = window.ends_at = now().time().replace(hour=0, minute=0, second=0, microsecond=0)
    save_window(actor=make_user(Role.OPERATOR), window=window)


def test_an_approved_task_waits_for_its_window_and_starts_by_itself(tenant: Tenant) -> None:
    window = closed_window(tenant.institution)
    task, _plan = tenant.approved()
    assert start_run(task.pk) is None
    held = fresh(task)
    assert held.status == "SCH" and "window is closed" in held.reason
    assert held.expected_start is not None and held.expected_start > now() + timedelta(hours=11)
    assert Entry.objects.filter(task_id=task.task_id, action="task.scheduled").count() == 1
    starts()
    sweep()
    assert starts() == [], "not before its hour"
    reopen(window)
    sweep()
    assert starts() == [task.pk]
    assert start_run(task.pk) is not None
    assert (fresh(task).status, fresh(task).expected_start, fresh(task).reason) == ("EXE", None, "")


def test_a_task_whose_hour_has_come_is_rung_for_and_one_that_must_wait_longer_says_so(tenant: Tenant) -> None:
    closed_window(tenant.institution)
    task, _plan = tenant.approved()
    start_run(task.pk)
    starts()
    OpsTask.objects.filter(pk=task.pk).update(expected_start=now() - timedelta(seconds=1))
    sweep()
    assert starts() == [task.pk]
    freeze(None, hours=48)
    assert start_run(task.pk) is None
    assert "frozen" in fresh(task).reason and "연말 동결" in fresh(task).reason
    assert fresh(task).expected_start is not None
    assert Entry.objects.filter(task_id=task.task_id, action="task.scheduled").count() == 1


def test_a_scheduled_task_whose_plan_has_changed_is_approved_again(tenant: Tenant) -> None:
    window = closed_window(tenant.institution)
    task, plan = tenant.approved()
    start_run(task.pk)
    tenant.servers[0].home_dir = "/srv/elsewhere"
    tenant.servers[0].save()
    reopen(window)
    assert start_run(task.pk) is None
    again = fresh(task)
    assert (again.status, again.expected_start) == ("PEN", None)
    assert again.rounds.get(number=1).status == "VOID" and again.rounds.get(number=2).plan_digest != plan.digest
    assert not Run.objects.exists()


def test_a_pm_approves_now_and_runs_later(tenant: Tenant) -> None:
    task, _plan = tenant.approved()
    later = now() + timedelta(days=2)
    run_later(actor=tenant.pm, task_id=task.task_id, scheduled_for=later)
    assert start_run(task.pk) is None
    assert (fresh(task).status, fresh(task).expected_start) == ("SCH", later)
    run_later(actor=tenant.pm, task_id=task.task_id, scheduled_for=None)
    assert task.pk in starts()
    assert start_run(task.pk) is not None
    with nothing_changes(), pytest.raises(NotInThatState):
        run_later(actor=tenant.pm, task_id=task.task_id, scheduled_for=later)


@pytest.mark.parametrize("days", [-1, 0, 401])
def test_later_is_in_the_future_and_not_for_ever(tenant: Tenant, days: int) -> None:
    task = tenant.file()
    with nothing_changes(), pytest.raises(InvalidInput):
        run_later(actor=tenant.pm, task_id=task.task_id, scheduled_for=now() + timedelta(days=days))


def test_the_pm_alone_puts_tasks_in_order(tenant: Tenant) -> None:
    tasks = [tenant.file() for _number in range(3)]
    OpsTask.objects.update(status="APP", is_urgent=False)
    OpsTask.objects.filter(pk=tasks[2].pk).update(is_urgent=True)
    strangers = (Tenant(servers=1).pm, NotVisible), (tenant.owner, NotPermitted), (tenant.site_manager, NotPermitted)
    for actor, error in strangers:
        with nothing_changes(), pytest.raises(error):
            set_priority(actor=actor, task_id=tasks[0].task_id, priority=Priority.HIGHEST, reason="why")
    with nothing_changes(), pytest.raises(ReasonMissing):
        set_priority(actor=tenant.pm, task_id=tasks[0].task_id, priority=Priority.HIGHEST, reason=" ")
    set_priority(actor=tenant.pm, task_id=tasks[1].task_id, priority=Priority.HIGHEST, reason="장애")
    entry = Entry.objects.get(action="task.priority_set")
    assert '"from":3' in entry.body and '"to":1' in entry.body and "장애" in words_of(entry)
    starts()
    sweep()
    assert starts() == [tasks[1].pk, tasks[2].pk, tasks[0].pk]


def started(tenant: Tenant) -> Run:
    """A run whose first wave is done."""
    for server in tenant.servers:
        server.redundancy_group = "was"
        server.save()
    task, plan = tenant.approved()
    run = start_run(task.pk)
    assert run is not None and len(plan.content["waves"]) > 1
    HostRun.objects.filter(wave__run=run, wave__number=1).update(status="DONE")
    return run


def open_waves(run: Run) -> list[int]:
    return list(run.waves.filter(is_open=True).values_list("number", flat=True))


def events(run: Run) -> list[str]:
    return list(run.events.filter(kind__in=["run_held", "run_resumed", "wave_opened"]).values_list("kind", flat=True))


def test_hours_that_end_within_a_run_hold_the_next_wave_until_they_open(tenant: Tenant) -> None:
    run = started(tenant)
    window = closed_window(tenant.institution)
    for _again in range(3):
        assert advance(run.pk), "it lives on"
    held = Run.objects.get(pk=run.pk)
    assert open_waves(run) == [1] and held.held_at is not None and "window is closed" in held.held_because
    assert events(run) == ["run_held"], "told once"
    assert Notification.objects.filter(kind="run_held", recipient=tenant.pm).count() == 1
    assert sweep() == 1, "the sweep asks again"
    reopen(window)
    assert advance(run.pk)
    assert open_waves(run) == [1, 2]
    assert Run.objects.get(pk=run.pk).held_at is None


def test_no_wave_is_left_half_done(tenant: Tenant) -> None:
    run = started(tenant)
    HostRun.objects.filter(wave__run=run, wave__number=1).update(status="PENDING")
    closed_window(tenant.institution)
    freeze(None)
    assert advance(run.pk)
    assert Run.objects.get(pk=run.pk).held_at is None
    from execution.rollout.claims import claim_hosts

    assert [host.wave.number for host in claim_hosts(run, "c", 10)] == [1]


def test_a_way_back_does_not_wait(tenant: Tenant) -> None:
    run = started(tenant)
    HostRun.objects.filter(wave__run=run, wave__number=1).update(status="FAILED")
    closed_window(tenant.institution)
    freeze(None)
    advance(run.pk)
    assert Run.objects.get(pk=run.pk).status == "ROLLED_BACK"


def test_a_pm_resumes_outside_a_window_but_not_in_a_freeze(tenant: Tenant) -> None:
    run = started(tenant)
    closed_window(tenant.institution)
    frozen = freeze(tenant.institution)
    task_id = run.task.task_id
    with nothing_changes(), pytest.raises(StaleState):
        resume_run(actor=tenant.pm, task_id=task_id, reason="not held yet")
    advance(run.pk)
    refusals: list[tuple[Any, str, type[Exception]]] = [
        (tenant.owner, "why", NotPermitted),
        (Tenant(servers=1).pm, "why", NotVisible),
        (tenant.pm, " ", ReasonMissing),
        (tenant.pm, "why", NotNow),
    ]
    for actor, reason, error in refusals:
        with nothing_changes(), pytest.raises(error):
            resume_run(actor=actor, task_id=task_id, reason=reason)
    asked = request_freeze_exception(actor=tenant.pm, task_id=task_id, freeze_pk=frozen.pk, reason="절반만 됐습니다")
    decide_freeze_exception(actor=tenant.security, task_id=task_id, exception_pk=asked.pk, decision=Decision.APPROVE)
    advance(run.pk)
    assert open_waves(run) == [1], "the window is closed still"
    resume_run(actor=tenant.pm, task_id=task_id, reason="마저 끝냅니다")
    advance(run.pk)
    assert open_waves(run) == [1, 2]
    assert Entry.objects.filter(action="run.resumed", task_id=task_id).count() == 1
    assert Freeze.objects.count() == 1 and events(run) == ["run_held", "run_resumed", "wave_opened"]
