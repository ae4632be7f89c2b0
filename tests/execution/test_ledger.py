"""Reports of many hosts in one transaction: each gets its own answer, and none is harmed by another."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DataError, connection, transaction
from django.db.models.functions import Now

from audit.models import Entry
from audit.verifying.all_chains import verify_all
from execution.choices import Phase, StepStatus
from execution.exceptions import ClaimLost, Halted
from execution.models import HostRun, Run, RunEvent, StepResult
from execution.rollout.claims import claim_hosts, renew_claims
from execution.rollout.ledger import Ledger, SharedLedger
from execution.rollout.record import Begin, End, Settle
from tests.execution.halting import press
from tests.execution.test_claims import begin
from tests.execution.worker import until
from tests.factories import Tenant

pytestmark = pytest.mark.django_db(transaction=True)
CLAIM = "mine"


@pytest.fixture
def run() -> Run:
    run = begin(Tenant(servers=6))
    for wave in run.waves.all():
        wave.is_open = True
        wave.save()
    return run


def begin_of(order: int, name: str = "check_disk") -> Begin:
    return Begin(Phase.APPLY, order, 1, name, {})


def together(ledger: Ledger, hosts: list[HostRun], notes: Any) -> list[Any]:
    """What each host's thread gets, when all of them report at once."""
    barrier = threading.Barrier(len(hosts))

    def one(host: HostRun) -> Any:
        barrier.wait(10)
        try:
            return ledger.write(host, *notes(host))
        except (ClaimLost, Halted, DataError) as refusal:
            return type(refusal)

    with ThreadPoolExecutor(len(hosts)) as pool:
        return list(pool.map(one, hosts))


def test_all_hosts_are_written_and_the_chain_and_the_events_have_no_gap(run: Run) -> None:
    hosts = claim_hosts(run, CLAIM, 10)
    with SharedLedger(run, CLAIM) as ledger:
        results = together(ledger, hosts, lambda _host: [begin_of(0)])
        ended = dict(zip([host.pk for host in hosts], results, strict=True))
        together(ledger, hosts, lambda host: [End(ended[host.pk], StepStatus.OK, ()), begin_of(1)])
        together(ledger, hosts, lambda _host: [Settle("finish")])
    assert {(row.host_run_id, row.order, row.status) for row in StepResult.objects.all()} == {
        (host.pk, order, status) for host in hosts for order, status in ((0, "OK"), (1, "STARTED"))
    }
    assert set(HostRun.objects.filter(pk__in=ended).values_list("status", "claim")) == {("DONE", "")}
    numbers = list(RunEvent.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    assert Entry.objects.filter(action="step.ok").count() == Entry.objects.filter(action="host.done").count() == 6
    assert verify_all().is_intact
    for host in hosts:  # a host's own events in the order in which they happened
        kinds = list(RunEvent.objects.filter(host_run=host).order_by("number").values_list("kind", flat=True))
        assert kinds == ["host_taken", "step_started", "step_ok", "step_started", "host_settled"]


def test_a_host_that_was_taken_over_and_one_that_cant_be_written_harm_nobody_else(run: Run) -> None:
    hosts = claim_hosts(run, CLAIM, 10)
    HostRun.objects.filter(pk=hosts[0].pk).update(claim="another")
    names = {hosts[1].pk: "x" * 65}
    with SharedLedger(run, CLAIM) as ledger:
        answers = together(ledger, hosts, lambda host: [begin_of(0, names.get(host.pk, "check_disk"))])
        assert answers[:2] == [ClaimLost, DataError]
        assert all(isinstance(answer, StepResult) and answer.pk for answer in answers[2:])
        assert ledger.read(StepResult.objects.count) == 4
        assert together(ledger, hosts[1:2], lambda _host: [begin_of(0)])[0].pk, "the ledger goes on"


def test_a_press_refuses_the_next_step_and_keeps_what_was_learnt(run: Run) -> None:
    hosts = claim_hosts(run, CLAIM, 10)
    ledger = Ledger(run, CLAIM)
    results = {host.pk: ledger.write(host, begin_of(0)) for host in hosts}
    press(run)
    with SharedLedger(run, CLAIM) as shared:
        ends = lambda host: [End(results[host.pk], StepStatus.OK, ()), begin_of(1)]  # type: ignore[arg-type]  # noqa: E731
        assert together(shared, hosts, ends) == [Halted] * 6
    assert set(StepResult.objects.values_list("order", "status")) == {(0, "OK")}


def test_where_the_line_to_the_database_broke_nothing_is_written_twice(run: Run) -> None:
    """Everybody who waits is told; the next ones find a new connection."""
    hosts = claim_hosts(run, CLAIM, 10)
    with SharedLedger(run, CLAIM) as ledger:

        def pid() -> int:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                return int(cursor.fetchone()[0])

        broken = ledger.read(pid)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [broken])
        with pytest.raises(Exception, match=r"terminat|closed|lost"):
            ledger.write(hosts[0], begin_of(0))
        assert not StepResult.objects.exists()
        assert ledger.write(hosts[0], begin_of(0)) is not None
        assert ledger.read(pid) != broken
    assert StepResult.objects.count() == 1


def waits(pid: int) -> bool:
    """Whether that backend waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT cardinality(pg_blocking_pids(%s))", [pid])
        return bool(cursor.fetchone()[0])


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def lock(*pks: int) -> None:
    assert len(HostRun.objects.select_for_update(no_key=True).filter(pk__in=pks)) == len(pks)


def test_what_the_database_took_back_because_two_waited_for_each_other_is_written_again(run: Run) -> None:
    hosts = claim_hosts(run, CLAIM, 10)
    first, *_others, last = sorted(host.pk for host in hosts)
    gathered = threading.Event()
    with SharedLedger(run, CLAIM) as ledger, ThreadPoolExecutor(2) as pool:
        pid = ledger.read(backend)
        with transaction.atomic():
            lock(last)
            pool.submit(ledger.read, lambda: gathered.wait(30))
            asked = pool.submit(together, ledger, hosts, lambda _host: [begin_of(0)])
            until(lambda: ledger._waiting.qsize() == len(hosts))
            gathered.set()
            until(lambda: waits(pid))
            lock(first)  # its lock is the ledger's, which waited first and is the one to be taken back
        assert all(isinstance(answer, StepResult) for answer in asked.result(30))
    assert StepResult.objects.count() == len(hosts) and verify_all().is_intact


def test_leases_are_renewed_in_the_order_in_which_hosts_are_locked(run: Run) -> None:
    """However the rows lie: the first of them was written last."""
    hosts = claim_hosts(run, CLAIM, 10)
    first, *_others, last = sorted(host.pk for host in hosts)
    for _time in range(3):
        HostRun.objects.filter(pk=first).update(lease_until=Now())
    pids: list[int] = []

    def renew() -> None:
        try:
            pids.append(backend())
            renew_claims(CLAIM, [host.pk for host in reversed(hosts)])
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            lock(first)
            renewed = pool.submit(renew)
            until(lambda: bool(pids) and waits(pids[0]))
            with connection.cursor() as cursor:  # nothing behind it is locked yet
                cursor.execute("SELECT id FROM execution_hostrun WHERE id = %s FOR UPDATE NOWAIT", [last])
        renewed.result(30)
    assert not HostRun.objects.filter(pk__in=[host.pk for host in hosts], lease_until__lte=Now())


def test_the_lease_of_a_host_that_was_given_up_runs_out(run: Run) -> None:
    given_up, kept, *_others = claim_hosts(run, CLAIM, 10)
    HostRun.objects.filter(claim=CLAIM).update(lease_until=Now())
    renew_claims(CLAIM, [kept.pk])
    assert list(HostRun.objects.filter(lease_until__gt=Now())) == [kept] and given_up != kept


def test_a_question_beside_one_that_fails_is_asked_once(run: Run) -> None:
    """It may write; so nobody else's failure has it asked again."""
    gathered, asked = threading.Event(), []

    def fails() -> None:
        raise DataError

    with SharedLedger(run, CLAIM) as ledger, ThreadPoolExecutor(3) as pool:
        pool.submit(ledger.read, lambda: gathered.wait(30))
        until(ledger._waiting.empty)
        first = pool.submit(ledger.read, lambda: asked.append(1))
        until(lambda: ledger._waiting.qsize() == 1)
        second = pool.submit(ledger.read, fails)
        until(lambda: ledger._waiting.qsize() == 2)
        gathered.set()
        first.result(30)
        with pytest.raises(DataError):
            second.result(30)
    assert asked == [1]
