"""What you approve is what runs: each part changed at each moment between the last approval and the end of the run.

Before the run begins, rows that changed void the approvals, and page and API say which part, side by side. Bytes that
changed behind their digest (a stored file, an accepted diff) are refused. Once it runs, the frozen plan runs on: rows
that change meanwhile change nothing, and bytes are looked at again after every pause and restart.
"""

from collections.abc import Callable
from typing import Any

import pytest

from execution.exceptions import GateClosed
from execution.gate.admission import check_connection
from execution.models import HostRun, Run
from execution.rollout.advance import advance
from execution.rollout.drive import drive_run
from execution.rollout.start_run import start_run
from governance.choices import ReviewDecision
from governance.models import ChangeReview, ChangeWindow
from governance.services.review_change import review_change
from governance.services.schedule_task import run_later
from governance.services.submit_change import submit_change
from tests.doors import HISTORY, api, browser
from tests.execution.test_gate import Door, door  # noqa: F401 - a fixture
from tests.execution.test_plan import CHANGES, same_parts
from tests.factories import Tenant, approve
from tests.governance.hours import closed_window
from tests.snapshot import nothing_changes
from tickets.models import OpsTask
from tickets.models.artefact import stored_path

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_english")]
Change = Callable[[Tenant, OpsTask], None]
IDS = [change.__name__ for change, _parts in CHANGES]


@pytest.fixture
def tenant(door: Door) -> Tenant:  # noqa: F811
    return Tenant(servers=2, ssh_port=door.port)


def fresh(task: OpsTask) -> OpsTask:
    return OpsTask.objects.get(pk=task.pk)


def assert_voided(tenant: Tenant, task: OpsTask, parts: list[str]) -> None:
    assert not Run.objects.exists() and fresh(task).status == "PEN"
    told = api(tenant.pm).get(f"{HISTORY}{task.task_id}").json()
    changed = told["plan_changes"]
    assert same_parts([change["part"] for change in changed], parts), changed
    for change in changed:
        sides = change["differences"]
        assert change["kind"] != "CHANGED" or (sides and all(side["before"] != side["after"] for side in sides))
    page = browser(tenant.pm).get(f"/tasks/{task.task_id}/").content.decode()
    for change in changed:
        assert change["part"] in page
    old, new = task.rounds.order_by("number")
    assert (old.status, new.status) == ("VOID", "OPEN") and new.plan_digest == told["plan_digest"] != old.plan_digest


@pytest.mark.parametrize(("change", "parts"), CHANGES, ids=IDS)
def test_between_the_last_approval_and_the_start(tenant: Tenant, change: Change, parts: list[str]) -> None:
    """The bell of the approval has rung, the worker hasn't come yet."""
    task, plan = tenant.planned()
    approve(task, plan, tenant.owner)
    change(tenant, task)
    approve(task, plan, tenant.pm)  # the last approval itself sees the old plan
    assert fresh(task).status == "APP" and start_run(task.pk) is None
    assert_voided(tenant, task, parts)


@pytest.mark.parametrize(("change", "parts"), CHANGES, ids=IDS)
def test_while_it_waits_for_its_hour(tenant: Tenant, change: Change, parts: list[str]) -> None:
    window = closed_window(tenant.institution)
    task, _plan = tenant.approved()
    assert start_run(task.pk) is None and fresh(task).status == "SCH"
    change(tenant, task)
    assert start_run(task.pk) is None and fresh(task).status == "SCH", "not looked at before its hour"
    ChangeWindow.objects.filter(pk=window.pk).update(is_active=False)
    assert start_run(task.pk) is None
    assert_voided(tenant, task, parts)


@pytest.mark.parametrize(("change", "parts"), CHANGES, ids=IDS)
def test_after_a_pause_the_frozen_plan_runs_on(tenant: Tenant, change: Change, parts: list[str]) -> None:
    """The run is held between waves, the worker restarted: what goes on is what was approved."""
    task, plan = tenant.approved()
    run = start_run(task.pk)
    assert run is not None
    HostRun.objects.filter(wave__run=run, wave__number=1).update(status="DONE")
    window = closed_window(tenant.institution)
    advance(run.pk)
    assert Run.objects.get(pk=run.pk).held_at is not None
    change(tenant, task)
    ChangeWindow.objects.filter(pk=window.pk).update(is_active=False)
    assert advance(run.pk)
    held = Run.objects.get(pk=run.pk)
    assert held.held_at is None and held.plan_id == plan.pk and held.plan.digest == plan.digest
    assert fresh(task).status == "EXE" and task.plans.count() == 1, "no other plan was made"
    waiting = HostRun.objects.filter(wave__run=run, status="PENDING")
    assert {row.server.hostname for row in waiting} <= set(plan.content["hosts"])


def alter_stored_file(task: OpsTask) -> None:
    path = stored_path(task.artefacts.get().sha256)
    path.chmod(0o600)
    path.write_bytes(b"artefacT")


def lose_stored_file(task: OpsTask) -> None:
    stored_path(task.artefacts.get().sha256).unlink()


@pytest.mark.parametrize("spoil", [alter_stored_file, lose_stored_file])
def test_bytes_that_changed_in_the_store_start_nothing(tenant: Tenant, door: Door, spoil: Any) -> None:  # noqa: F811
    task, plan = tenant.approved()
    spoil(task)
    assert start_run(task.pk) is None
    stopped = fresh(task)
    assert stopped.status == "MAN" and not Run.objects.exists() and door.stayed_shut()
    assert plan.content["artefacts"][0]["sha256"] in stopped.reason, "what was approved, beside what lies there"


def test_bytes_that_change_during_a_wait_start_nothing(tenant: Tenant, door: Door) -> None:  # noqa: F811
    task, _plan = tenant.approved()
    window = closed_window(tenant.institution)
    start_run(task.pk)
    alter_stored_file(task)
    ChangeWindow.objects.filter(pk=window.pk).update(is_active=False)
    assert start_run(task.pk) is None
    assert fresh(task).status == "MAN" and door.stayed_shut()


def test_bytes_that_change_before_a_restart_end_the_run_before_any_connection(tenant: Tenant, door: Door) -> None:  # noqa: F811
    task, _plan = tenant.approved()
    run = start_run(task.pk)
    assert run is not None
    alter_stored_file(task)
    drive_run(run.pk)
    assert Run.objects.get(pk=run.pk).status == "MANUAL" and fresh(task).status == "MAN" and door.stayed_shut()
    assert set(HostRun.objects.values_list("status", flat=True)) == {"UNTOUCHED"}


@pytest.fixture
def reviewed(tenant: Tenant) -> OpsTask:
    """A code fix whose change the PM has accepted."""
    task = tenant.file()
    OpsTask.objects.filter(pk=task.pk).update(sub_type="CODE_FIX")
    from execution.plan.prepare import prepare_plan

    plan = prepare_plan(task.pk)
    assert plan is not None
    for person in (tenant.owner, tenant.pm):
        approve(task, plan, person)
    assert start_run(task.pk) is None and fresh(task).status == "CHG"
    change = submit_change(actor="agent", task_pk=task.pk, diff="-a\n+b\n", context={})
    review_change(
        actor=tenant.pm, task_id=task.task_id, revision=1, digest=change.diff_digest, decision=ReviewDecision.ACCEPT
    )
    assert fresh(task).status == "APP"
    return task


def test_the_run_stores_both_digests(tenant: Tenant, reviewed: OpsTask) -> None:
    run = start_run(reviewed.pk)
    assert run is not None
    change = reviewed.change_reviews.get()
    assert (run.diff_digest, run.plan.digest) == (change.diff_digest, reviewed.rounds.get().plan_digest)
    (told,) = api(tenant.pm).get(f"{HISTORY}{reviewed.task_id}").json()["runs"]
    assert told["diff_digest"] == change.diff_digest


def other_diff(task: OpsTask) -> None:
    ChangeReview.objects.filter(task=task).update(diff="-a\n+evil\n")


def other_diff_and_digest(task: OpsTask) -> None:
    import hashlib

    diff = "-a\n+evil\n"
    ChangeReview.objects.filter(task=task).update(diff=diff, diff_digest=hashlib.sha256(diff.encode()).hexdigest())


def accepted_no_more(task: OpsTask) -> None:
    ChangeReview.objects.filter(task=task).update(decision="rework", instruction="다시")


def no_code_fix(task: OpsTask) -> None:
    OpsTask.objects.filter(pk=task.pk).update(sub_type="WAS_ROLLING")


def test_another_diff_than_the_reviewed_starts_nothing(tenant: Tenant, reviewed: OpsTask, door: Door) -> None:  # noqa: F811
    run_later(actor=tenant.pm, task_id=reviewed.task_id, scheduled_for=None)
    other_diff(reviewed)
    assert start_run(reviewed.pk) is None
    assert fresh(reviewed).status == "MAN" and "change" in fresh(reviewed).reason and door.stayed_shut()


@pytest.mark.parametrize("spoil", [other_diff, other_diff_and_digest, accepted_no_more, no_code_fix])
def test_another_diff_than_the_runs_own_opens_no_connection(
    tenant: Tenant,
    reviewed: OpsTask,
    door: Door,  # noqa: F811
    spoil: Callable[[OpsTask], None],
) -> None:
    run = start_run(reviewed.pk)
    assert run is not None
    host_run = HostRun.objects.filter(wave__run=run)[0]
    HostRun.objects.filter(pk=host_run.pk).update(claim="c", status="PENDING")
    check_connection(host_run, "c")
    spoil(reviewed)
    with nothing_changes(), pytest.raises(GateClosed) as refused:
        check_connection(host_run, "c")
    assert refused.value.code == "change_altered"
    drive_run(run.pk)
    assert fresh(reviewed).status == "MAN" and door.stayed_shut()
