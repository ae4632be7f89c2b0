"""What follows from an order beyond its steps: the check after a wave was watched, a failed host's logs, and hosts that
people take back from a gateway."""

import json
from datetime import timedelta
from typing import Any

import pytest

from audit.models import Entry
from execution.gateways import keeping
from execution.gateways.take_back import take_back_servers
from execution.models import CoreLog, HostLock, HostRun, Run, RunEvent, StepResult
from execution.rollout.drive import drive_run
from governance.exceptions import ReasonMissing
from guardia.common.clock import now
from guardia.common.errors import NotPermitted, NotVisible, StaleState
from tests.execution.gateways.scripted import ScriptedGateway
from tests.execution.gateways.test_orders import begun, gateway, step, steps_of, tenant
from tests.execution.strategies import publish_strategy
from tests.factories import Tenant
from tests.queue import run_queue
from tests.snapshot import nothing_changes
from tickets.models import OpsTask

__all__ = ["gateway", "tenant"]  # fixtures

pytestmark = pytest.mark.django_db(transaction=True)


def test_people_take_servers_back_and_the_gateway_stays(tenant: Tenant, gateway: ScriptedGateway) -> None:
    run = begun(tenant)
    [order] = gateway.pull()["orders"]
    task_id = run.task.task_id
    take: dict[str, Any] = {"gateway_pk": gateway.row.pk, "task_id": task_id, "reason": "its disk is full"}
    stranger = Tenant(servers=0).pm
    with nothing_changes():
        for actor, given, error in (
            (stranger, take, NotVisible),
            (tenant.pm, take, NotPermitted),
            (gateway.admin, {**take, "reason": " "}, ReasonMissing),
            (gateway.admin, {**take, "task_id": "OPS-\0"}, StaleState),
        ):
            with pytest.raises(error):
                take_back_servers(actor=actor, **given)
    take_back_servers(actor=gateway.admin, **take)
    run_queue()
    host_run = HostRun.objects.get(pk=order["host_run"])
    assert (host_run.status, host_run.error_code) == ("UNCERTAIN", "taken_back") and "disk is full" in host_run.error
    run = Run.objects.get()
    assert (run.status, OpsTask.objects.get().status) == ("MANUAL", "MAN") and host_run.server.hostname in run.reason
    assert not HostLock.objects.exists()
    answer = gateway.pull(have=[order["order"]], runs=[run.pk])
    assert (answer["taken_back"], answer["orders"], answer["runs"]) == ([order["order"]], [], [])
    late = {"order": order["order"], "kind": "step_ok", "data": {"step": "stop"}, "at": "2026-01-01"}
    told = gateway.host(order["order"], "DONE", steps=[step(0)])
    assert gateway.hand_over(hosts=[told], events=[late])[0] == 200 and gateway.reread().alarm == ""
    assert HostRun.objects.get(pk=host_run.pk).status == "UNCERTAIN" and not StepResult.objects.exists()
    assert RunEvent.objects.filter(kind="step_ok", host_run=host_run).count() == 1, "what it says is heard"
    keeping.set_gateway_sites(actor=gateway.admin, gateway_pk=gateway.row.pk, site_pks=[])
    with pytest.raises(StaleState):
        take_back_servers(actor=gateway.admin, **take)


def test_what_only_an_absent_gateway_could_roll_back_is_for_people(tenant: Tenant, gateway: ScriptedGateway) -> None:
    run = begun(tenant)
    [order] = gateway.pull()["orders"]
    changing = next(at for at, one in enumerate(steps_of(run, order)) if one["changes"])
    told = gateway.host(order["order"], "FAILED", code="step_failed", error="no", steps=[step(changing)])
    assert gateway.hand_over(hosts=[told])[0] == 200
    run_queue()
    assert HostRun.objects.get(pk=order["host_run"]).status == "UNDO_PENDING", "it doesn't come"
    take_back_servers(actor=gateway.admin, gateway_pk=gateway.row.pk, task_id=run.task.task_id, reason="gone")
    run_queue()
    assert Run.objects.get().status == "MANUAL" and not HostLock.objects.exists()
    entry = json.loads(Entry.objects.get(action="gateway.servers_taken_back").body)
    assert entry["facts"]["servers"] == [order["hostname"]]


def test_a_watched_wave_is_checked_again_behind_the_gateway(tenant: Tenant, gateway: ScriptedGateway) -> None:
    publish_strategy("{batches: [1, 100%], bake: 1}")
    run = begun(tenant)
    [order] = gateway.pull()["orders"]
    steps = [step(at) for at in range(len(steps_of(run, order)))]
    told = gateway.host(order["order"], "DONE", steps=steps, saved={"pid_before": "7", "log_position": "0"})
    assert gateway.hand_over(hosts=[told])[0] == 200
    run_queue()
    assert Run.objects.get().held_for == "BAKE" and gateway.pull()["orders"] == []
    run.waves.filter(number=1).update(settled_at=now() - timedelta(minutes=1))
    drive_run(run.pk)
    [look] = gateway.pull()["orders"]
    assert (look["phase"], look["host_run"], len(look["steps"])) == ("CHECK", order["host_run"], len(steps))
    assert look["saved"] == told["saved"]
    check = step(len(steps), phase="CHECK", name="health_after_bake")
    assert gateway.hand_over(hosts=[gateway.host(look["order"], "DONE", steps=[check])])[0] == 200
    run_queue()
    [following] = gateway.pull()["orders"]
    assert (following["phase"], following["hostname"] != order["hostname"]) == ("APPLY", True)


def test_the_logs_of_a_host_that_failed_come_with_it(tenant: Tenant, gateway: ScriptedGateway) -> None:
    run = begun(tenant)
    [order] = gateway.pull()["orders"]
    path = run.plan.content["hosts"][order["hostname"]]["logs"][0]
    logs = [
        {"path": path, "text": "x" * 10**6 + "\x1b[2J password=hunter2secret", "error": ""},
        {"path": "/etc/shadow", "text": "root", "error": ""},
    ]
    told = gateway.host(order["order"], "FAILED", code="step_failed", error="no", logs=logs)
    assert gateway.hand_over(hosts=[told])[0] == 200
    kept = CoreLog.objects.get()
    assert (kept.path, kept.phase, kept.host_run_id) == (path, "APPLY", order["host_run"])
    assert len(kept.text) <= 64 * 1024 and "hunter2secret" not in kept.text and "\x1b" not in kept.text
    assert RunEvent.objects.get(kind="logs_kept").data["count"] == 1
