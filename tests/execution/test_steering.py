"""What a run's strategy and its people make of it, from rows alone: tolerance, isolation, bake, gate, and each act."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.choices import Role
from accounts.models import User
from audit.models import Entry
from audit.verifying.all_chains import verify_all
from execution.choices import HeldFor, RollbackScope
from execution.models import HostLock, HostRun, Run
from execution.rollout.advance import advance
from execution.rollout.claims import claim_hosts, claimable
from execution.rollout.resume_run import resume_run
from execution.rollout.retry_failed import retry_failed
from execution.rollout.start_run import start_run
from execution.rollout.steer_run import abort_run, pause_run, skip_host
from execution.rollout.sweep import sweep
from governance.exceptions import ReasonMissing, SelfApproval
from guardia.common.clock import now
from guardia.common.errors import InvalidInput, NotPermitted, NotVisible, StaleState
from notifications.models import Notification
from tests.audit.words import words_of
from tests.execution.strategies import begin, opened, settle, told
from tests.factories import Tenant, make_user
from tests.snapshot import nothing_changes
from tickets.models import OpsTask

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.fixture
def tenant() -> Tenant:
    return Tenant(servers=6)


def again(run: Run) -> Run:
    return Run.objects.select_related("task", "plan").get(pk=run.pk)


def waves(run: Run) -> list[list[str]]:
    return [
        list(wave.host_runs.order_by("pk").values_list("server__hostname", flat=True))
        for wave in run.waves.order_by("number")
    ]


def test_within_tolerance_the_failed_host_goes_back_alone_and_the_run_goes_on(tenant: Tenant) -> None:
    run = begin(tenant, "{batches: [1, 3, 100%], tolerate: {wave: 1, run: 2}}")
    settle(run, "DONE")
    assert advance(run.pk) and opened(run) == [1, 2]
    bad, *good = waves(run)[1]
    settle(run, "DONE", *good)
    settle(run, "FAILED", bad)
    advance(run.pk)
    assert told(run)[bad] == "UNDO_PENDING" and opened(run) == [1, 2], "the next wave waits for its way back"
    assert again(run).status == "RUNNING" and again(run).rollback == ""
    settle(run, "UNDONE", bad)
    advance(run.pk)
    assert opened(run) == [1, 2, 3]
    settle(run, "DONE")
    assert not advance(run.pk)
    assert (again(run).status, again(run).task.status) == ("SUCCEEDED", "VAL")
    assert bad in again(run).task.reason and "1 server" in again(run).task.reason
    assert not HostLock.objects.filter(run=run).exists()


def test_beyond_the_tolerance_of_a_wave_or_of_all_it_stops(tenant: Tenant) -> None:
    run = begin(tenant, "{batches: [3, 100%], tolerate: {wave: 1, run: 1}}")
    first, second, third = waves(run)[0]
    settle(run, "DONE", first, second)
    settle(run, "FAILED", third)
    advance(run.pk)
    settle(run, "UNDONE", third)
    advance(run.pk)
    assert opened(run) == [1, 2]
    bad, other, last = waves(run)[1]
    settle(run, "DONE", other)
    settle(run, "FAILED", bad)
    advance(run.pk)
    assert again(run).status == "ROLLING_BACK" and again(run).rollback == "wave", "the second one in all"
    assert told(run) == {
        first: "DONE", second: "DONE", third: "UNDONE", bad: "UNDO_PENDING", other: "UNDO_PENDING", last: "UNTOUCHED",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("host", ["DONE", "DONE", "UNDO_PENDING", "UNTOUCHED"]),
        ("wave", ["DONE", "UNDO_PENDING", "UNDO_PENDING", "UNTOUCHED"]),
        ("run", ["UNDO_PENDING", "UNDO_PENDING", "UNDO_PENDING", "UNTOUCHED"]),
    ],
)
def test_what_goes_back_is_what_the_plan_says(tenant: Tenant, scope: str, expected: list[str]) -> None:
    run = begin(tenant, f"{{batches: [1, 3, 100%], rollback: {scope}}}")
    (canary,), (good, bad, _third), _rest = waves(run)
    settle(run, "DONE")
    advance(run.pk)
    settle(run, "DONE", good)
    settle(run, "FAILED", bad)
    advance(run.pk)
    found = told(run)
    assert [found[name] for name in (canary, good, bad, waves(run)[2][0])] == expected
    assert again(run).rollback == scope
    while again(run).is_living:  # wave by wave, the last one first
        going = HostRun.objects.filter(wave__run=run, wave__is_open=True, status="UNDO_PENDING")
        assert len(set(going.values_list("wave", flat=True))) == 1
        HostRun.objects.filter(wave__run=run, wave__is_open=True, status="UNDO_PENDING").update(status="UNDONE")
        advance(run.pk)
    assert (again(run).status, again(run).task.status) == ("ROLLED_BACK", "ERR")


def test_a_critical_site_tolerates_nothing(tenant: Tenant) -> None:
    for server in tenant.servers:
        server.site.tier = 1
        server.site.save()
    run = begin(tenant, "{batches: [100%], tolerate: {wave: 5, run: 100%}}")
    assert [len(wave) for wave in waves(run)] == [1] * 6, "and goes slowly"
    settle(run, "FAILED")
    advance(run.pk)
    assert again(run).status == "ROLLING_BACK"


def test_an_uncertain_host_is_never_tolerated_and_stays_as_it_is(tenant: Tenant) -> None:
    run = begin(tenant, "{batches: [100%], tolerate: {wave: 5, run: 5}}")
    names = waves(run)[0]
    settle(run, "DONE", *names[1:])
    settle(run, "UNCERTAIN", names[0])
    advance(run.pk)
    assert again(run).status == "ROLLING_BACK" and told(run)[names[0]] == "UNCERTAIN"


def test_a_rollback_that_fails_stops_everything_of_the_run(tenant: Tenant) -> None:
    run = begin(tenant, "{batches: [4, 100%], tolerate: {wave: 3, run: 3}}")
    one, two, three, four = waves(run)[0]
    settle(run, "FAILED", one, two)
    advance(run.pk)
    settle(run, "UNDO_FAILED", one, touched=False, error="no way back")
    held = HostRun.objects.filter(wave__run=run, server__hostname=three)
    held.update(status="RUNNING", claim="c", lease_until=now() + timedelta(hours=1))
    assert advance(run.pk), "somebody is in the middle of a step"
    found = told(run)
    assert (found[two], found[four]) == ("UNDO_FAILED", "UNTOUCHED") and not claimable(run)
    settle(run, "DONE", three)
    assert not advance(run.pk)
    assert (again(run).status, again(run).task.status) == ("MANUAL", "MAN") and "no way back" in again(run).reason
    assert Notification.objects.filter(kind="manual_needed", recipient=tenant.owner).exists()


def test_nodes_left_out_of_the_balancer_count_as_down() -> None:
    tenant = Tenant(servers=8, redundancy_group="was")
    run = begin(tenant, "{batches: [100%], tolerate: {wave: 3, run: 3}}")
    first, second = waves(run)
    assert len(first) == len(second) == 4
    settle(run, "DONE", *first[1:])
    settle(run, "UNDONE", first[0], stays_drained=True, error_code="step_failed")
    advance(run.pk)
    assert [len(wave) for wave in waves(run)] == [4, 3, 1] and opened(run) == [1, 2], "three more, then the last"


def test_the_other_node_of_a_pair_is_left_alone() -> None:
    tenant = Tenant(servers=4)
    for server in tenant.servers[2:]:
        server.redundancy_group = "pair"
        server.save()
    run = begin(tenant, "{batches: [3, 100%], tolerate: {wave: 1, run: 1}}")
    (*alone, node), (other,) = waves(run)
    settle(run, "DONE", *alone)
    settle(run, "UNDONE", node, stays_drained=True, error_code="step_failed")
    advance(run.pk)
    host = HostRun.objects.get(wave__run=run, server__hostname=other)
    assert (host.status, host.error_code) == ("SKIPPED", "group_isolated")
    assert not advance(run.pk) and "left out of the balancer" in again(run).reason
    retry_failed(actor=tenant.pm, task_id=run.task.task_id, reason="mended")
    advance(run.pk)
    assert waves(run)[-2:] == [[node], [other]], "the failed one first, then the one that was spared"
    assert told(run)[other] == "PENDING"


def test_a_wave_is_watched_and_checked_again_before_the_next(tenant: Tenant) -> None:
    run = begin(tenant, "{batches: [2, 100%], bake: 10m}")
    settle(run, "DONE", saved={"log_position": "0"})
    for _again in range(2):
        assert advance(run.pk)
    held = again(run)
    assert (held.held_for, opened(run)) == (HeldFor.BAKE, [1]) and "until" in held.held_because
    assert run.events.filter(kind="run_held").count() == 1 and not claimable(run)
    with nothing_changes(), pytest.raises(StaleState):
        resume_run(actor=tenant.pm, task_id=run.task.task_id, reason="quick")
    assert sweep() == 1, "the sweep asks again"
    run.waves.filter(number=1).update(settled_at=now() - timedelta(minutes=11))
    advance(run.pk)
    assert set(told(run).values()) == {"CHECK_PENDING", "PENDING"} and opened(run) == [1]
    hosts = claim_hosts(run, "c", 9)
    assert [host.status for host in hosts] == ["CHECKING"] * 2
    settle(run, "DONE")
    advance(run.pk)
    assert opened(run) == [1, 2]
    settle(run, "DONE")
    assert not advance(run.pk), "nothing comes after the last wave, so nobody waits"


def test_a_host_that_is_ill_after_the_bake_has_failed(tenant: Tenant) -> None:
    run = begin(tenant, "{batches: [2, 100%], bake: 1}")
    settle(run, "DONE", saved={"log_position": "0"})
    advance(run.pk)
    run.waves.filter(number=1).update(settled_at=now() - timedelta(minutes=1))
    advance(run.pk)
    bad, good = waves(run)[0]
    settle(run, "FAILED", bad)
    advance(run.pk)
    assert again(run).status == "ROLLING_BACK"
    assert told(run)[good] == told(run)[bad] == "UNDO_PENDING"


def test_somebody_lets_each_wave_go(tenant: Tenant) -> None:
    run = begin(tenant, "{batches: [2], gate: manual}")
    task_id, operator = run.task.task_id, make_user(Role.OPERATOR, tenant.institution)
    settle(run, "DONE")
    for _again in range(2):
        advance(run.pk)
    assert (again(run).held_for, opened(run)) == (HeldFor.GATE, [1])
    for person in (tenant.pm, operator):
        assert Notification.objects.filter(kind="run_held", recipient=person).count() == 1
    OpsTask.objects.filter(pk=run.task_id).update(requester=operator)
    with nothing_changes(), pytest.raises(SelfApproval):
        resume_run(actor=operator, task_id=task_id)
    OpsTask.objects.filter(pk=run.task_id).update(requester=tenant.site_manager)
    resume_run(actor=operator, task_id=task_id)
    advance(run.pk)
    assert opened(run) == [1, 2] and run.waves.get(number=2).let_go_by == operator
    assert Entry.objects.filter(action="run.resumed", task_id=task_id).count() == 1
    settle(run, "DONE")
    advance(run.pk)
    assert opened(run) == [1, 2], "each one anew"


def test_in_a_pause_nobody_new_is_begun_with_and_what_was_begun_is_finished(tenant: Tenant) -> None:
    run = begin(tenant, "{batches: [3, 100%], tolerate: {wave: 1, run: 1}}")
    (first,) = claim_hosts(run, "c", 1)
    pause_run(actor=tenant.pm, task_id=run.task.task_id, reason="phone call")
    assert claim_hosts(run, "c2", 9) == [] and not claimable(run)
    settle(run, "FAILED", first.server.hostname)
    assert advance(run.pk)
    assert [host.status for host in claim_hosts(run, "c3", 9)] == ["UNDOING"], "a way back doesn't wait"
    settle(run, "UNDONE", first.server.hostname)
    advance(run.pk)
    assert opened(run) == [1] and again(run).held_for == HeldFor.PAUSE
    resume_run(actor=tenant.pm, task_id=run.task.task_id)
    assert len(claim_hosts(run, "c4", 9)) == 2
    settle(run, "DONE")
    advance(run.pk)
    assert opened(run) == [1, 2]


def test_a_pause_between_waves_holds_the_next(tenant: Tenant) -> None:
    run = begin(tenant, "{batches: [3, 100%]}")
    settle(run, "DONE")
    pause_run(actor=tenant.pm, task_id=run.task.task_id, reason="lunch")
    assert advance(run.pk) and opened(run) == [1]
    resume_run(actor=tenant.pm, task_id=run.task.task_id)
    advance(run.pk)
    assert opened(run) == [1, 2]


@pytest.mark.parametrize(
    ("scope", "expected", "status"),
    [("host", "DONE", "ABORTED"), ("wave", "DONE", "ROLLING_BACK"), ("run", "UNDO_PENDING", "ROLLING_BACK")],
)
def test_an_abort_finishes_what_was_begun_and_takes_back_what_was_chosen(
    tenant: Tenant, scope: str, expected: str, status: str
) -> None:
    run = begin(tenant, "{batches: [1, 3, 100%]}")
    settle(run, "DONE")
    advance(run.pk)
    (canary,), (one, two, three), _rest = waves(run)
    settle(run, "DONE", one)
    held = HostRun.objects.filter(wave__run=run, server__hostname=two)
    held.update(status="RUNNING", claim="c", lease_until=now() + timedelta(hours=1))
    abort_run(actor=tenant.pm, task_id=run.task.task_id, reason="wrong file", rollback=RollbackScope(scope))
    assert told(run)[three] == "UNTOUCHED" and advance(run.pk), "the one in the middle is waited for"
    settle(run, "DONE", two)
    advance(run.pk)
    found = told(run)
    assert found[canary] == expected and found[two] == ("DONE" if scope == "host" else "UNDO_PENDING")
    assert again(run).status == status and "wrong file" in again(run).reason
    while again(run).is_living:
        HostRun.objects.filter(wave__run=run, wave__is_open=True, status="UNDO_PENDING").update(status="UNDONE")
        advance(run.pk)
    assert (again(run).status, again(run).task.status) == ("ABORTED", "ERR")
    assert Notification.objects.filter(kind="run_aborted", recipient=tenant.site_manager).count() == 1
    assert all(report.is_intact for report in verify_all())


def test_a_host_is_left_out_with_a_reason(tenant: Tenant) -> None:
    run = begin(tenant, "{batches: [2, 100%], tolerate: {wave: 1, run: 1}}")
    (done, bad), (later, *rest) = waves(run)
    task_id = run.task.task_id
    settle(run, "DONE", done)
    settle(run, "FAILED", bad, touched=False)
    skip_host(actor=tenant.pm, task_id=task_id, hostname=bad, reason="broken disk")
    skip_host(actor=tenant.pm, task_id=task_id, hostname=later, reason="is moved tonight")
    for name, error in ((done, StaleState), (later, StaleState), ("nobody", InvalidInput), ("a\0b", InvalidInput)):
        with nothing_changes(), pytest.raises(error):
            skip_host(actor=tenant.pm, task_id=task_id, hostname=name, reason="why")
    advance(run.pk)
    settle(run, "FAILED", rest[0])
    settle(run, "DONE", *rest[1:])
    advance(run.pk)
    assert again(run).status == "ROLLING_BACK", "one that was left out after it failed counts still"
    entry = Entry.objects.filter(action="host.skipped", task_id=task_id).earliest("pk")
    assert bad in words_of(entry) and "broken disk" in words_of(entry)


def test_failed_hosts_are_tried_again_between_two_waves(tenant: Tenant) -> None:
    run = begin(tenant, "{batches: [3], gate: manual, tolerate: {wave: 1, run: 1}}")
    bad, *good = waves(run)[0]
    task_id = run.task.task_id
    settle(run, "FAILED", bad)
    with nothing_changes(), pytest.raises(StaleState, match="under way"):
        retry_failed(actor=tenant.pm, task_id=task_id, reason="too early")
    settle(run, "DONE", *good)
    advance(run.pk)
    settle(run, "UNDONE", bad)
    advance(run.pk)
    assert again(run).held_for == HeldFor.GATE
    retry_failed(actor=tenant.pm, task_id=task_id, reason="disk is free again")
    assert advance(run.pk) and opened(run) == [1, 2]
    assert waves(run)[1] == [bad] and len(waves(run)) == 3 and run.waves.get(number=2).is_retry
    assert list(HostRun.objects.filter(wave__run=run, server__hostname=bad).values_list("status", flat=True)) == [
        "RETRIED",
        "PENDING",
    ]
    settle(run, "DONE")
    advance(run.pk)
    assert again(run).held_for == HeldFor.GATE, "the third one waits for somebody"
    resume_run(actor=tenant.pm, task_id=task_id)
    advance(run.pk)
    settle(run, "DONE")
    assert not advance(run.pk) and again(run).status == "SUCCEEDED" and again(run).reason == ""


def test_after_a_rollback_the_failed_go_first_then_those_beside_them_then_the_rest(tenant: Tenant) -> None:
    run = begin(tenant, "{batches: [3, 100%]}")
    task_id, digest = run.task.task_id, run.plan.digest
    bad, good, spared = waves(run)[0]
    rest = waves(run)[1]
    settle(run, "FAILED", bad)
    settle(run, "DONE", good)
    advance(run.pk)
    assert told(run)[spared] == "UNTOUCHED"
    HostRun.objects.filter(wave__run=run, status="UNDO_PENDING").update(status="UNDONE")
    assert not advance(run.pk) and again(run).task.status == "ERR"
    first_result = again(run).result.digest
    other = start_run(tenant.approved()[0].pk)
    assert other is not None
    with nothing_changes(), pytest.raises(StaleState, match="Another run"):
        retry_failed(actor=tenant.pm, task_id=task_id, reason="again")
    HostLock.objects.filter(run=other).delete()
    retry_failed(actor=tenant.pm, task_id=task_id, reason="mended")
    assert again(run).task.status == "EXE" and HostLock.objects.filter(run=run).count() == 6
    assert again(run).plan.digest == digest
    for expected in ([bad], [good, spared], rest):
        assert advance(run.pk)
        wave = run.waves.filter(opened_at__isnull=False).order_by("-number")[0]
        assert sorted(wave.host_runs.exclude(status="RETRIED").values_list("server__hostname", flat=True)) == sorted(
            expected
        )
        settle(run, "DONE")
    assert not advance(run.pk)
    ended = again(run)
    assert (ended.status, ended.task.status) == ("SUCCEEDED", "VAL") and set(told(run).values()) == {"DONE"}
    assert ended.result.digest != first_result
    assert not HostLock.objects.filter(run=run).exists()
    assert all(report.is_intact for report in verify_all())


def test_what_was_left_out_of_a_run_that_succeeded_is_tried_again_until_the_task_is_closed(tenant: Tenant) -> None:
    run = begin(tenant, "{batches: [100%], tolerate: {wave: 1, run: 1}}")
    bad, *good = waves(run)[0]
    settle(run, "DONE", *good)
    settle(run, "FAILED", bad)
    advance(run.pk)
    settle(run, "UNDONE", bad)
    assert not advance(run.pk) and again(run).task.status == "VAL"
    OpsTask.objects.filter(pk=run.task_id).update(status="COM", closed_at=now())
    with nothing_changes(), pytest.raises(StaleState):
        retry_failed(actor=tenant.pm, task_id=run.task.task_id, reason="late")
    OpsTask.objects.filter(pk=run.task_id).update(status="VAL", closed_at=None)
    retry_failed(actor=tenant.pm, task_id=run.task.task_id, reason="in time")
    advance(run.pk)
    settle(run, "DONE", bad)
    assert not advance(run.pk) and again(run).reason == ""


Act = Callable[[User, Run], Any]
ACTS: dict[str, Act] = {
    "pause": lambda user, run: pause_run(actor=user, task_id=run.task.task_id, reason="why"),
    "resume": lambda user, run: resume_run(actor=user, task_id=run.task.task_id),
    "skip": lambda user, run: skip_host(
        actor=user, task_id=run.task.task_id, hostname=run.task.servers.order_by("-hostname")[0].hostname, reason="why"
    ),
    "abort": lambda user, run: abort_run(
        actor=user, task_id=run.task.task_id, reason="why", rollback=RollbackScope.WAVE
    ),
    "retry": lambda user, run: retry_failed(actor=user, task_id=run.task.task_id, reason="why"),
}
#: state of the run → acts that it allows
STATES: dict[str, set[str]] = {
    "in a wave": {"pause", "skip", "abort"},
    "paused": {"resume", "skip", "abort"},
    "at a gate": {"pause", "resume", "skip", "abort", "retry"},
    "rolling back": set(),
    "rolled back": {"retry"},
    "aborting": set(),
    "aborted": {"retry"},
    "succeeded": set(),
    "manual": set(),
    "halted": set(),
}
MAY = {Role.PM, Role.OPERATOR}


def put(run: Run, state: str) -> None:
    """The run in this state, with its first host failed and undone where it has ended or waits."""
    gate = {"held_for": "GATE", "held_at": now(), "held_because": "x"}
    fields: dict[str, dict[str, Any]] = {
        "in a wave": {},
        "paused": {"held_for": "PAUSE", "held_at": now(), "held_because": "x"},
        "at a gate": gate,
        "rolling back": {"status": "ROLLING_BACK", "rollback": "wave"},
        "rolled back": {"status": "ROLLED_BACK", "rollback": "wave", "finished_at": now()},
        "aborting": {"aborted_by": make_user(), "rollback": "wave"},
        "aborted": {"status": "ABORTED", "rollback": "wave", "aborted_by": make_user(), "finished_at": now()},
        "succeeded": {"status": "SUCCEEDED", "finished_at": now()},
        "manual": {"status": "MANUAL", "finished_at": now()},
        "halted": {"status": "HALTED"},
    }
    tasks = {"rolled back": "ERR", "aborted": "ERR", "succeeded": "VAL", "manual": "MAN", "halted": "HLT"}
    Run.objects.filter(pk=run.pk).update(**fields[state])
    OpsTask.objects.filter(pk=run.task_id).update(status=tasks.get(state, "EXE"))
    if run.is_living and fields[state].get("finished_at"):
        HostLock.objects.filter(run=run).delete()
    first = sorted(run.task.servers.values_list("hostname", flat=True))[0]
    if state in ("at a gate", "rolled back", "aborted"):
        settle(run, "UNDONE", first, error_code="step_failed")
    elif state == "succeeded":
        settle(run, "DONE", first)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("act", ACTS)
def test_who_may_do_what_in_which_state(act: str, state: str) -> None:
    tenant = Tenant(servers=3)
    people = {role: make_user(role, tenant.institution) for role in Role}
    people[Role.PM] = tenant.pm
    run = begin(tenant, "{batches: [1], gate: manual}")
    put(run, state)
    stranger = Tenant(servers=1).pm
    with nothing_changes():
        with pytest.raises(NotVisible):
            ACTS[act](stranger, run)
        for role, person in people.items():
            if role not in MAY:
                with pytest.raises(NotPermitted, match=str(tenant.pm) if act != "resume" else None):
                    ACTS[act](person, run)
    allowed = act in STATES[state]
    if not allowed:
        for role in MAY:
            if act == "resume" and role == Role.OPERATOR:
                continue  # outside of the hours it is a PM's alone
            with nothing_changes(), pytest.raises(StaleState):
                ACTS[act](people[role], run)
        return
    before = Entry.objects.filter(task_id=run.task.task_id).count()
    ACTS[act](people[Role.OPERATOR], run)
    assert Entry.objects.filter(task_id=run.task.task_id).count() > before
    assert all(report.is_intact for report in verify_all())


@pytest.mark.parametrize("act", ["pause", "skip", "abort", "retry"])
def test_each_act_wants_a_reason(tenant: Tenant, act: str) -> None:
    run = begin(tenant, "{batches: [1], gate: manual}")
    put(run, "rolled back" if act == "retry" else "in a wave")
    given: dict[str, Any] = {"actor": tenant.pm, "task_id": run.task.task_id, "reason": " "}
    calls: dict[str, Callable[[], Any]] = {
        "pause": lambda: pause_run(**given),
        "skip": lambda: skip_host(**given, hostname=tenant.servers[0].hostname),
        "abort": lambda: abort_run(**given, rollback=RollbackScope.RUN),
        "retry": lambda: retry_failed(**given),
    }
    with nothing_changes(), pytest.raises(ReasonMissing):
        calls[act]()
