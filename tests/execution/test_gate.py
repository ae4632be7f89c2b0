"""The gate: what must hold before a connection, taken away piece by piece. Nothing connects, and the code says why."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from execution.exceptions import GateClosed
from execution.gate.session import open_session
from execution.models import HostLock, HostRun, Plan, Run
from execution.rollout.claims import claim_hosts
from execution.rollout.drive import drive_run
from execution.rollout.start_run import start_run
from governance.models import ApprovalRound, ApprovalStep
from tests.factories import Tenant
from tickets.models import OpsTask

CLAIM = "c1"


@dataclass
class Door:
    """A port that counts who knocks."""

    port: int
    knocks: list[int]

    def stayed_shut(self) -> bool:
        """Nobody came before us: connections are accepted in their order."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as ours:
            ours.recv(1)  # closed by the other side once it has noted us
            return self.knocks == [ours.getsockname()[1]]


@pytest.fixture
def door() -> Iterator[Door]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        knocks: list[int] = []
        listening.settimeout(0.1)
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    peer, address = listening.accept()
                except TimeoutError:
                    continue
                knocks.append(address[1])
                peer.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield Door(listening.getsockname()[1], knocks)
        stop.set()
        thread.join(5)


@pytest.fixture
def tenant(transactional_db: None, in_english: None, door: Door) -> Tenant:
    return Tenant(servers=2, ssh_port=door.port)


@pytest.fixture
def run(tenant: Tenant) -> Run:
    """A run that has begun and whose first host is held by us."""
    task, _plan = tenant.approved()
    started = start_run(task.pk)
    assert started is not None
    return Run.objects.select_related("task", "plan").get(pk=started.pk)


@contextmanager
def behind_the_program(table: str) -> Iterator[Any]:
    """What somebody with the owner's rights in the database can do: no trigger stops them."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        try:
            yield cursor
        finally:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def alter_document(run: Run) -> None:
    with behind_the_program("execution_plan") as cursor:
        cursor.execute(
            "UPDATE execution_plan SET document = replace(document, 'rm', 'mr') WHERE id = %s", [run.plan_id]
        )


def alter_document_and_digest(run: Run) -> None:
    import hashlib

    document = run.plan.document.replace("startup.sh", "other.sh")
    digest = hashlib.sha256(document.encode()).hexdigest()
    with behind_the_program("execution_plan") as cursor:
        cursor.execute(
            "UPDATE execution_plan SET document = %s, digest = %s WHERE id = %s", [document, digest, run.plan_id]
        )


def revoke_approval(run: Run) -> None:
    round_ = ApprovalRound.objects.get(task=run.task)
    round_.void()
    round_.save()


def take_back_a_step(run: Run) -> None:
    with behind_the_program("governance_approvalstep") as cursor:
        cursor.execute(
            "UPDATE governance_approvalstep SET digest_seen = %s WHERE id = %s",
            ["0" * 64, ApprovalStep.objects.filter(round__task=run.task).first().pk],  # type: ignore[union-attr]
        )


def release_locks(run: Run) -> None:
    HostLock.objects.all().delete()


def claim_by_another(run: Run) -> None:
    HostRun.objects.filter(claim=CLAIM).update(claim="another")


def new_credential(run: Run) -> None:
    server = run.task.servers.order_by("pk")[0]
    server.credential.revision += 1  # type: ignore[union-attr]
    server.credential.save()  # type: ignore[union-attr]


def end_task(run: Run) -> None:
    OpsTask.objects.filter(pk=run.task_id).update(status="MAN")


def end_run(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(status="MANUAL")


REFUSALS: list[tuple[Callable[[Run], None], str]] = [
    (revoke_approval, "not_approved"),
    (take_back_a_step, "not_approved"),
    (alter_document_and_digest, "not_approved"),
    (release_locks, "host_locked"),
    (claim_by_another, "claim_lost"),
    (new_credential, "credential_changed"),
    (end_task, "run_ended"),
    (end_run, "run_ended"),
]


@pytest.mark.parametrize(("spoil", "code"), REFUSALS, ids=[spoil.__name__ for spoil, _code in REFUSALS])
def test_no_connection_is_opened(run: Run, door: Door, spoil: Callable[[Run], None], code: str) -> None:
    held = claim_hosts(run, CLAIM, 1)[0]
    spec = run.plan.content["hosts"][held.server.hostname]
    spoil(run)
    with pytest.raises(GateClosed) as refused:
        open_session(held, spec, CLAIM, threading.Event())
    assert refused.value.code == code
    assert str(refused.value)
    assert door.stayed_shut()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (alter_document, "altered"),
        (alter_document_and_digest, "not the approved"),
        (revoke_approval, "not the approved"),
    ],
)
def test_a_run_behind_a_closed_gate_is_handed_to_people(
    run: Run, door: Door, spoil: Callable[[Run], None], words: str
) -> None:
    spoil(run)
    drive_run(run.pk)
    ended = Run.objects.get(pk=run.pk)
    assert (ended.status, OpsTask.objects.get(pk=run.task_id).status) == ("MANUAL", "MAN")
    assert words in ended.reason
    assert set(HostRun.objects.values_list("status", flat=True)) == {"UNTOUCHED"}
    assert not HostLock.objects.exists()
    assert door.stayed_shut()


def test_a_closed_gate_waits_for_a_living_worker_and_names_a_dead_ones_host(run: Run, door: Door) -> None:
    held = claim_hosts(run, CLAIM, 1)[0]
    revoke_approval(run)
    drive_run(run.pk)
    assert Run.objects.get(pk=run.pk).is_living
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE execution_hostrun SET lease_until = now() - interval '1 second' WHERE id = %s", [held.pk]
        )
    drive_run(run.pk)
    ended = Run.objects.get(pk=run.pk)
    assert ended.status == "MANUAL"
    assert held.server.hostname in ended.reason
    assert HostRun.objects.get(pk=held.pk).status == "UNCERTAIN"
    assert door.stayed_shut()


def test_an_altered_plan_starts_nothing(tenant: Tenant, door: Door) -> None:
    task, plan = tenant.approved()
    with behind_the_program("execution_plan") as cursor:
        cursor.execute("UPDATE execution_plan SET document = document || ' ' WHERE id = %s", [plan.pk])
    assert start_run(task.pk) is None
    assert not Run.objects.exists()
    assert Plan.objects.get().pk == plan.pk
    stopped = OpsTask.objects.get(pk=task.pk)
    assert stopped.status == "MAN" and stopped.reason, "people look at it, instead of every sweep"
