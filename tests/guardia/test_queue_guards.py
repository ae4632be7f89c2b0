"""Who can write the database must not run code in the worker: the broker, the schedule table, the settings."""

import logging
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.core import signing
from django.core.checks import run_checks
from django.db import transaction
from django_q.brokers import get_broker
from django_q.models import Failure, OrmQ, Schedule, Success
from django_q.scheduler import scheduler
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from guardia.common.broker import is_allowed
from guardia.common.clock import now
from guardia.common.queue import enqueue
from guardia.schedules import SCHEDULES, reconcile
from tests.queue import run_queue, waiting
from tests.snapshot import nothing_changes
from tests.threads import race

pytestmark = pytest.mark.django_db


def put(payload: str) -> OrmQ:
    """A row as somebody with SQL would write it."""
    return OrmQ.objects.create(key="guardia", payload=payload, lock=now())


class Trap:
    """Unpickling it makes a file: the sign that somebody's code ran."""

    def __init__(self, sign: Path) -> None:
        self.sign = sign

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.sign),)


def _message(function: object, *args: object, **more: object) -> str:
    return SignedPackage.dumps({"id": "1", "name": "x", "func": function, "args": args, "kwargs": {}, **more})


FORGED: dict[str, Callable[[Path], str]] = {
    "os.system by name": lambda sign: _message("os.mkdir", str(sign)),
    "a callable": lambda sign: _message(os.mkdir, str(sign)),
    "no function": lambda sign: _message(None),
    "not a message": lambda sign: SignedPackage.dumps(["os.mkdir"]),
    "a module beside ours": lambda sign: _message("execution.tasks.prepare.os.mkdir", str(sign)),
    "an import of our tasks": lambda sign: _message("execution.tasks.prepare.prepare_plan", 1),
    "another package's tasks": lambda sign: _message("django_q.tasks.async_task", "os.mkdir"),
    "a service": lambda sign: _message("governance.services.decide_step.decide_step"),
    "a trailing line": lambda sign: _message("execution.tasks.sweep\n"),
    "a hook": lambda sign: _message("execution.tasks.sweep", hook="os.system"),
    "a chain": lambda sign: _message("execution.tasks.sweep", chain=[("os.mkdir", (str(sign),))]),
    "keywords": lambda sign: _message("execution.tasks.drive_run", kwargs={"run_pk": 1}),
    "an object": lambda sign: _message("execution.tasks.drive_run", [1]),
    "unsigned": lambda sign: pickle.dumps(Trap(sign)).hex(),
    "signed with another key": lambda sign: signing.dumps({"func": "execution.tasks.sweep"}, key="another"),
    "signed with another salt": lambda sign: signing.dumps({"func": "execution.tasks.sweep"}),
    "empty": lambda sign: "",
    "not even text of ours": lambda sign: "\ufffd" * 100,
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_message_is_removed_unread_and_said(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sign = tmp_path / "ran"
    row = put(FORGED[kind](sign))
    with caplog.at_level(logging.CRITICAL):
        assert get_broker().dequeue() is None
    assert not OrmQ.objects.filter(pk=row.pk).exists() and not sign.exists()
    assert str(row.pk) in caplog.text and str(sign) not in caplog.text


def test_a_forged_message_does_not_hold_up_the_true_ones() -> None:
    put(_message("os.mkdir", "/nonexistent/x"))
    put(_message("execution.tasks.sweep"))
    assert run_queue() == ["execution.tasks.sweep"]


@pytest.mark.parametrize(
    ("function", "allowed"),
    [
        ("execution.tasks.drive_run", True),
        ("guardia.tasks.anything", True),
        ("monitoring.tasks.anything", False),
        ("django_q.tasks.async_task", False),
        ("os.system", False),
        ("execution.tasks", False),
        ("execution.tasks.", False),
        ("execution.tasks.a.b", False),
        ("xexecution.tasks.sweep", False),
        ("execution.tasks.sweep ", False),
        ("execution.tasks.__import__1", False),
        (os.system, False),
        (None, False),
        (["execution.tasks.sweep"], False),
    ],
)
def test_only_names_of_our_tasks_are_allowed(function: object, allowed: bool) -> None:
    assert is_allowed(function) is allowed


def test_what_is_not_ours_cannot_be_enqueued() -> None:
    for function in ("os.system", os.system, "django_q.tasks.async_task"):
        with nothing_changes(), pytest.raises(ValueError, match="refused"):
            async_task(function, "true")


@pytest.mark.django_db(transaction=True)
def test_the_queue_carries_ids_and_only_after_commit() -> None:
    values: list[Any] = [object(), [1], {"a": 1}, None, 1.5, b"x"]
    for value in values:
        with nothing_changes(), pytest.raises(TypeError):
            enqueue("execution.tasks.prepare_plan", value)
    with nothing_changes(), pytest.raises(RuntimeError), transaction.atomic():
        enqueue("execution.tasks.prepare_plan", 7)
        raise RuntimeError
    with transaction.atomic():
        enqueue("execution.tasks.prepare_plan", 7)
        assert waiting() == []
    assert waiting() == [("execution.tasks.prepare_plan", (7,))]


@pytest.mark.django_db(transaction=True)
def test_a_forged_schedule_runs_nothing_and_goes_when_a_worker_starts(tmp_path: Path) -> None:
    sign = tmp_path / "ran"
    Schedule.objects.create(func="os.mkdir", args=f"'{sign}'", schedule_type=Schedule.ONCE, next_run=now())
    known = next(iter(SCHEDULES))
    Schedule.objects.create(name=known, func="os.system", args="'true'", hook="os.system", schedule_type="D")
    Schedule.objects.create(name=known, func="os.system", schedule_type="D")
    Schedule.objects.create(name="hooked", func="execution.tasks.sweep", hook="os.system", schedule_type="O")
    scheduler(broker=get_broker())
    assert run_queue() in ([], ["execution.tasks.sweep"]) and not sign.exists()
    reconcile()
    rows = {row.name: (row.func, row.args, row.kwargs, row.hook) for row in Schedule.objects.all()}
    assert Schedule.objects.count() == len(SCHEDULES)
    for name, (function, _minutes) in SCHEDULES.items():
        assert rows[name] == (function, None, None, None)
    reconcile()
    assert Schedule.objects.count() == len(SCHEDULES)


def test_every_schedule_names_a_task_of_ours() -> None:
    assert all(is_allowed(function) for function, _minutes in SCHEDULES.values())


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"ack_failures": False}, "guardia.E001"),
        ({"max_attempts": 0}, "guardia.E002"),
        ({"retry": 900}, "guardia.E003"),
        ({"save_limit": 0}, "guardia.E004"),
        ({"save_limit": 250}, "guardia.E004"),
        ({"broker_class": "django_q.brokers.orm.ORM"}, "guardia.E005"),
    ],
)
def test_dangerous_settings_stop_the_start(change: dict[str, Any], check: str, settings: Any) -> None:
    assert not [message for message in run_checks() if str(message.id).startswith("guardia.")]
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, **change}
    assert [message.id for message in run_checks() if str(message.id).startswith("guardia.")] == [check]
    name = next(iter(change))
    settings.Q_CLUSTER = {key: value for key, value in settings.Q_CLUSTER.items() if key != name}
    assert check in [message.id for message in run_checks()]


def test_the_queues_own_pages_are_gone() -> None:
    assert not {OrmQ, Schedule, Success, Failure} & set(admin.site._registry)


@pytest.mark.django_db(transaction=True)
def test_workers_that_start_at_once_make_one_schedule() -> None:
    race([reconcile] * 4)
    assert sorted(row.name for row in Schedule.objects.all()) == sorted(SCHEDULES)
