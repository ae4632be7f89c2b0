"""Who presses and lifts, what that means to work that hasn't begun, and presses that meet others or a stuck lock."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from accounts.choices import Role
from accounts.exceptions import OutsideBastion, ProofMissing
from accounts.models import User
from audit.models import Chain, Entry
from audit.verifying.all_chains import verify_all
from execution.choices import HaltScope, Phase
from execution.exceptions import Halted
from execution.gate.brake import Brake
from execution.gate.halts import refuse_halted
from execution.gate.session import open_session
from execution.halts.lift import lift_halt
from execution.halts.press import halt
from execution.halts.who import halts_visible_to, living_halts_shown_to, may_press
from execution.models import Halt, HostRun, Run, StepResult
from execution.rollout.advance import advance
from execution.rollout.claims import claim_hosts
from execution.rollout.drive import drive_run
from execution.rollout.ledger import Ledger
from execution.rollout.record import Begin
from execution.rollout.start_run import start_run
from execution.rollout.sweep import sweep
from governance.exceptions import ReasonMissing
from governance.models import AccessRange
from guardia.common.clock import now
from guardia.common.context import traced
from guardia.common.errors import GuardiaError, NotPermitted, NotVisible, StaleState
from guardia.waiting import waits_of
from tests.factories import Tenant, make_user, proof_of
from tests.queue import run_queue, waiting
from tests.snapshot import nothing_changes
from tests.threads import race
from tickets.models import OpsTask

CLAIM = "c1"
WHY = "얼룩말"


@pytest.fixture
def tenant(transactional_db: None, in_english: None) -> Tenant:
    return Tenant(servers=3)


@pytest.fixture
def run(tenant: Tenant) -> Run:
    task, _plan = tenant.approved()
    started = start_run(task.pk)
    assert started is not None
    return Run.objects.select_related("task__institution", "plan").get(pk=started.pk)


def press(actor: User | str = "console:test", scope: HaltScope = HaltScope.GLOBAL, **options: Any) -> Halt:
    return halt(actor=actor, scope=scope, **{"reason": WHY, **options})


#: role → may press for (its institution, everything) when held for one institution, and when held for all
TABLE = {
    Role.SITE_MANAGER: ((False, False), (False, False)),
    Role.TEAM_LEAD: ((False, False), (False, False)),
    Role.AUDITOR: ((False, False), (False, False)),
    Role.PM: ((True, False), (True, False)),
    Role.OPERATOR: ((True, False), (True, False)),
    Role.SECURITY_OFFICER: ((True, False), (True, True)),
    Role.ADMINISTRATOR: ((True, False), (True, True)),
}


@pytest.mark.parametrize("role", TABLE)
@pytest.mark.parametrize("is_of_all", [False, True])
def test_who_may_press_and_lift_what(tenant: Tenant, run: Run, role: Role, is_of_all: bool) -> None:
    person = make_user(role, None if is_of_all else tenant.institution)
    of_one, of_all = TABLE[role][is_of_all]
    acts: list[tuple[bool, HaltScope, dict[str, str]]] = [
        (of_one, HaltScope.INSTITUTION, {"institution": tenant.institution.code}),
        (of_all, HaltScope.GLOBAL, {}),
        (of_one, HaltScope.RUN, {"task_id": run.task.task_id}),
    ]
    assert may_press(person) == of_one
    for is_allowed, scope, target in acts:
        if is_allowed:
            pressed = press(person, scope, **target)
            lift_halt(actor=person, pk=pressed.pk, reason=WHY, proof=proof_of(person))
            Run.objects.filter(pk=run.pk).update(status="RUNNING", halt=None)
            continue
        with nothing_changes(), pytest.raises(NotPermitted, match="These people"):
            press(person, scope, **target)
        pressed = press(scope=scope, **target)
        with pytest.raises(NotPermitted):
            lift_halt(actor=person, pk=pressed.pk, reason=WHY, proof=proof_of(person))
        lift_halt(actor="console:test", pk=pressed.pk, reason=WHY)
        Run.objects.filter(pk=run.pk).update(status="RUNNING", halt=None)


def test_another_tenants_runs_and_presses_are_not_there(tenant: Tenant, run: Run) -> None:
    stranger = Tenant(servers=1)
    theirs = {"institution": tenant.institution.code}
    with nothing_changes():
        run_of_theirs = {"scope": HaltScope.RUN, "task_id": run.task.task_id}
        for target in ({"scope": HaltScope.INSTITUTION, **theirs}, run_of_theirs):
            with pytest.raises(NotVisible):
                press(stranger.pm, **target)  # type: ignore[arg-type]
    pressed = press(tenant.pm, HaltScope.INSTITUTION, **theirs)
    with pytest.raises(NotVisible):
        lift_halt(actor=stranger.pm, pk=pressed.pk, reason=WHY, proof=proof_of(stranger.pm))
    assert not halts_visible_to(stranger.pm).exists() and not living_halts_shown_to(stranger.pm).exists()
    assert living_halts_shown_to(tenant.site_manager).get() == pressed
    assert living_halts_shown_to(make_user(Role.AUDITOR)).get() == pressed, "who sees all institutions"
    other, _plan = stranger.approved()
    assert start_run(other.pk) is not None, "their work goes on"
    everything = press()
    assert living_halts_shown_to(stranger.site_manager).get() == everything


def test_lifting_needs_a_proof_a_reason_and_the_right_network(tenant: Tenant, run: Run) -> None:
    pressed = press(tenant.pm, HaltScope.INSTITUTION, institution=tenant.institution.code)
    options = {"actor": tenant.pm, "pk": pressed.pk, "proof": proof_of(tenant.pm)}
    with nothing_changes():
        for change, error in (
            ({"proof": None}, ProofMissing),
            ({"proof": proof_of(tenant.security)}, ProofMissing),
            ({"reason": " "}, ReasonMissing),
        ):
            with pytest.raises(error):
                lift_halt(**{"reason": WHY, **options, **change})  # type: ignore[arg-type]
    AccessRange.objects.create(label="room", institution=tenant.institution, cidr="10.0.0.0/8")
    with traced(source_ip="192.0.2.1", channel="portal"), pytest.raises(OutsideBastion):
        lift_halt(reason=WHY, **options)  # type: ignore[arg-type]
    lift_halt(reason=WHY, **options)  # type: ignore[arg-type]
    actions = list(Entry.objects.filter(action__startswith="halt.").order_by("pk").values_list("action", flat=True))
    assert actions == ["halt.pressed", "halt.lifted"]


def test_one_may_stop_from_anywhere(tenant: Tenant, run: Run) -> None:
    AccessRange.objects.create(label="room", institution=tenant.institution, cidr="10.0.0.0/8")
    with traced(source_ip="192.0.2.1", channel="portal"):
        assert press(tenant.pm, HaltScope.RUN, task_id=run.task.task_id).pk


def test_approved_work_waits_and_starts_by_itself(tenant: Tenant) -> None:
    pressed = press(scope=HaltScope.INSTITUTION, institution=tenant.institution.code)
    task, _plan = tenant.approved()  # approvals are still possible
    assert start_run(task.pk) is None
    held = OpsTask.objects.get(pk=task.pk)
    assert held.status == "APP" and WHY in held.reason
    wait = waits_of([held])[task.pk]
    assert (wait.kind, str(wait.label)) == ("halt", "Kill switch") and WHY in wait.words
    lift_halt(actor="console:test", pk=pressed.pk, reason=WHY)
    assert ("execution.tasks.sweep", ()) in waiting()
    sweep()
    assert ("execution.tasks.start_run", (task.pk,)) in waiting()
    assert start_run(task.pk) is not None


def test_the_gate_opens_no_connection_and_begins_no_step(tenant: Tenant, run: Run) -> None:
    host = claim_hosts(run, CLAIM, 1)[0]
    press()
    spec = run.plan.content["hosts"][host.server.hostname]
    with pytest.raises(Halted):
        open_session(host, spec, CLAIM, threading.Event())
    with pytest.raises(Halted):
        Ledger(run, CLAIM).write(host, Begin(Phase.APPLY, 0, 1, "check", {}))
    assert not StepResult.objects.exists()
    with pytest.raises(Halted):
        refuse_halted(run, Phase.UNDO)


def test_a_way_back_is_open_where_going_back_was_chosen(run: Run) -> None:
    press(rolls_back=True)
    refuse_halted(run, Phase.UNDO)
    with pytest.raises(Halted):
        refuse_halted(run, Phase.APPLY)
    press(scope=HaltScope.INSTITUTION, institution=run.task.institution.code)
    with pytest.raises(Halted):
        refuse_halted(run, Phase.UNDO)


def test_hosts_of_a_lost_worker_are_named_when_their_lease_has_ended(tenant: Tenant, run: Run) -> None:
    """By the one who presses and waits: neither the queue nor a worker has a part in it."""
    host = claim_hosts(run, CLAIM, 1)[0]
    result = Ledger(run, CLAIM).write(host, Begin(Phase.APPLY, 2, 1, "upload", {}))
    assert result is not None
    press(scope=HaltScope.RUN, run_pk=run.pk)
    assert Run.objects.get(pk=run.pk).status == "RUNNING", "its worker may live"
    assert HostRun.objects.filter(status="UNTOUCHED").count() == 2
    with connection.cursor() as cursor:
        cursor.execute("UPDATE execution_hostrun SET lease_until = now() - interval '1 s' WHERE id = %s", [host.pk])
    call_command("halt", run=None, everything=False)  # only looks
    assert advance(run.pk) is False
    assert HostRun.objects.get(pk=host.pk).status == "UNCERTAIN"
    assert StepResult.objects.get(pk=result.pk).status == "STARTED"
    assert (Run.objects.get(pk=run.pk).status, OpsTask.objects.get(pk=run.task_id).status) == ("HALTED", "HLT")
    drive_run(run.pk)
    assert StepResult.objects.count() == 1, "a worker that comes back sees the halt first"


@contextmanager
def held_by_another(lock: Callable[[], object]) -> Iterator[None]:
    """Another process, stopped in the middle of a transaction: its locks stay."""
    ready, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                lock()
                ready.set()
                release.wait(60)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert ready.wait(10)
    try:
        yield
    finally:
        release.set()
        thread.join(10)


def test_a_press_does_not_wait_for_stuck_locks(tenant: Tenant, run: Run) -> None:
    def lock() -> None:
        Chain.objects.select_for_update().get(key="system")
        Run.objects.select_for_update().get(pk=run.pk)

    lift_halt(actor="console:test", pk=press().pk, reason="makes the chain of the system")
    Run.objects.filter(pk=run.pk).update(status="RUNNING", halt=None, finished_at=None)
    with held_by_another(lock):
        pressed = press()
        assert Halt.objects.get(pk=pressed.pk).recorded_at is None
        with pytest.raises(Halted):
            refuse_halted(run, Phase.APPLY)
    sweep()
    assert Halt.objects.get(pk=pressed.pk).recorded_at is not None
    assert Entry.objects.filter(action="halt.pressed", object_id=str(pressed.pk)).count() == 1
    assert all(report.is_intact for report in verify_all())


def test_presses_that_meet_are_one(tenant: Tenant, run: Run) -> None:
    acts = [lambda person=person: press(person, HaltScope.RUN, task_id=run.task.task_id) for person in people(tenant)]
    results = race(acts, StaleState)
    assert sum(isinstance(result, Halt) for result in results) == 1, results
    assert Halt.objects.count() == 1 and Run.objects.get(pk=run.pk).status == "HALTED"


def people(tenant: Tenant) -> list[User]:
    return [tenant.pm, tenant.security, make_user(Role.OPERATOR, tenant.institution)]


def test_a_press_meets_a_start(tenant: Tenant) -> None:
    """Whoever is first: nothing is left that runs."""
    task, _plan = tenant.approved()
    race([lambda: start_run(task.pk), lambda: press()])
    run_queue()
    found = OpsTask.objects.get(pk=task.pk)
    assert found.status in ("APP", "HLT")
    assert not StepResult.objects.exists()
    if found.status == "HLT":
        assert set(HostRun.objects.values_list("status", flat=True)) == {"UNTOUCHED"}


def test_a_press_meets_its_lifting(tenant: Tenant, run: Run) -> None:
    pressed = press(scope=HaltScope.RUN, run_pk=run.pk)
    acts: list[Callable[[], object]] = [
        lambda: lift_halt(actor="console:a", pk=pressed.pk, reason=WHY),
        lambda: lift_halt(actor="console:b", pk=pressed.pk, reason=WHY),
        lambda: advance(run.pk),
    ]
    results = race(acts, StaleState)
    assert sum(isinstance(result, StaleState) for result in results) == 1
    assert Run.objects.get(pk=run.pk).status == "HALTED", "a run that was reached stays where it is"


def test_a_press_meets_the_end_of_a_run(tenant: Tenant, run: Run) -> None:
    """All hosts are done: there is nothing to stop, and the result isn't lost."""
    HostRun.objects.filter(wave__run=run).update(status="DONE")
    run.waves.update(is_open=True, opened_at=now())
    press(scope=HaltScope.INSTITUTION, institution=run.task.institution.code)
    assert advance(run.pk) is False
    assert (Run.objects.get(pk=run.pk).status, OpsTask.objects.get(pk=run.task_id).status) == ("SUCCEEDED", "VAL")
    with pytest.raises(StaleState):
        press(scope=HaltScope.RUN, run_pk=run.pk)


def test_a_run_that_felt_a_press_stops_even_if_that_was_lifted_at_once(tenant: Tenant, run: Run) -> None:
    """A host was stopped by the press before any row of the run knew of it."""
    host = claim_hosts(run, CLAIM, 1)[0]
    Halt.objects.create(
        scope="GLOBAL", reason=WHY, halted_as="x", lifted_as="x", lifted_at=run.started_at, recorded_at=run.started_at
    )
    HostRun.objects.filter(pk=host.pk).update(status="HALTED", claim="", lease_until=None)
    assert advance(run.pk) is False
    assert Run.objects.get(pk=run.pk).status == "HALTED"


def test_a_worker_that_cannot_look_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    from execution.gate import brake as brakes

    monkeypatch.setattr(brakes, "BLIND_SECONDS", 0.05)
    monkeypatch.setattr(brakes, "_PATIENCE_SECONDS", 0.3)
    brake = Brake()
    brake.before_step()  # nobody watches it
    brake.seen()
    threading.Event().wait(0.1)
    with pytest.raises(OperationalError):
        brake.before_step()
    brake.seen()
    brake.before_step()


def test_the_console_presses_names_and_lifts(tenant: Tenant, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("halt")
    assert "Nothing is halted" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("halt", "--global")  # no reason
    call_command("halt", "--task", run.task.task_id, "--reason", WHY)
    said = capsys.readouterr().out
    assert run.task.task_id in said and "Not touched" in said
    call_command("halt")
    assert WHY in capsys.readouterr().out
    call_command("halt", "--task", run.task.task_id, "--lift", "--reason", WHY)
    assert not Halt.objects.filter(lifted_at=None).exists()
    for arguments in (["--institution", "NOWHERE"], ["--run", "999999"], ["--task", "OPS-x"]):
        with pytest.raises((CommandError, GuardiaError)):
            call_command("halt", *arguments, "--reason", WHY)
    entry = Entry.objects.get(action="halt.pressed")
    assert entry.actor.startswith("console:")
