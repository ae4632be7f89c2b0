"""A worker's part in a run: claim hosts, carry on with each in a thread, advance the run, again until nothing is left.

Several workers may drive one run; each can be killed at any moment. What it held is found by its lease.
"""

import logging
import threading
import time
from collections.abc import Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from uuid import uuid4

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection

from execution.exceptions import ClaimLost, GateClosed
from execution.gate.admission import approved_content, check_artefacts, check_change
from execution.models import HostRun, Run
from execution.rollout.abandon import abandon
from execution.rollout.advance import advance
from execution.rollout.claims import claim_hosts, claimable, renew_claims
from execution.rollout.host import HostWorker
from execution.rollout.ledger import Ledger, SharedLedger
from execution.rollout.watch import Brakes, watched
from guardia.common.context import traced
from guardia.common.queue import enqueue

logger = logging.getLogger(__name__)
#: A worker's turn: after it the run goes to the end of the queue, so that long runs let others through.
_TURN_SECONDS = 60
#: Hosts that are done so soon after another one are followed by others in one go.
_GATHER_SECONDS = 0.3
#: While hosts wait and this worker is full it calls another one so often.
_CALL_SECONDS = 2.0


def drive_run(run_pk: int) -> None:
    """Work on a run until it has ended, others hold all that is left, or the turn is over."""
    run = Run.objects.select_related("plan", "plan__task", "task", "task__institution").get(pk=run_pk)
    if not run.is_living:
        return
    with traced(task_id=run.task.task_id, run_id=str(run.pk), channel="worker"):
        try:
            content = approved_content(run.plan)
            check_change(run.task, run.diff_digest)
            check_artefacts(content)
        except GateClosed as refusal:
            logger.error("run %s: the gate is closed: %s", run.pk, refusal.code)
            abandon(run.pk, refusal)
            return
        claim = uuid4().hex
        with watched(run) as brakes, SharedLedger(run, claim) as ledger:
            driver = _Driver(run, content["hosts"], ledger, brakes)
            with _heartbeat(claim, driver.held):
                is_over = driver.work(time.monotonic() + _TURN_SECONDS)
    if not is_over:
        enqueue("execution.tasks.drive_run", run_pk)


class _Driver:
    def __init__(self, run: Run, hosts: dict[str, dict[str, object]], ledger: Ledger, brakes: Brakes) -> None:
        self.run, self.hosts, self.ledger, self.brakes = run, hosts, ledger, brakes
        self.called_at = float("-inf")
        self.held: set[int] = set()
        """Keys of the host runs that are worked on: their leases are renewed. Of one that was given up, it runs out."""

    def work(self, ends: float) -> bool:
        """True when this worker has nothing more to do; False when its turn was over first."""
        limit = settings.GUARDIA_HOSTS_AT_ONCE
        flying: set[Future[None]] = set()
        with ThreadPoolExecutor(max_workers=limit, thread_name_prefix="host") as pool:
            while True:
                is_over = time.monotonic() > ends
                living = advance(self.run.pk)
                room = limit - len(flying)
                taken = claim_hosts(self.run, self.ledger.claim, room) if living and room and not is_over else []
                is_full = limit == len(flying) + len(taken) and self._call_another()
                self.held |= {host_run.pk for host_run in taken}
                flying |= {pool.submit(self._carry_on, host_run) for host_run in taken}
                if not flying:
                    if not living or not advance(self.run.pk):
                        return True
                    if is_over:
                        return False
                    if not claimable(self.run):
                        return True  # others hold what is left; they advance the run when they are done
                    continue
                done, flying = wait(flying, timeout=_CALL_SECONDS if is_full else None, return_when=FIRST_COMPLETED)
                more, flying = wait(flying, timeout=_GATHER_SECONDS)
                for future in done | more:
                    future.result()

    def _call_another(self) -> bool:
        """More hosts wait than we can take: another worker helps, and calls the next one in its turn. Again after a
        while, since a cluster that is busy may have fetched the bell. Whether any host waits."""
        if time.monotonic() - self.called_at > _CALL_SECONDS:
            if not claimable(self.run):
                return False
            self.called_at = time.monotonic()
            enqueue("execution.tasks.drive_run", self.run.pk)
        return True

    def _carry_on(self, host_run: HostRun) -> None:
        trace = {"task_id": self.run.task.task_id, "run_id": str(self.run.pk), "channel": "worker"}
        with traced(**trace):
            spec, brake = self.hosts[host_run.server.hostname], self.brakes[host_run.phase]
            worker = HostWorker(host_run, self.run, spec, self.ledger.claim, brake.cut, brake, self.ledger)
            try:
                worker.carry_on()
            except DatabaseError:
                # Nothing can be written now: the lease runs out, and the next worker probes.
                logger.exception("host run %s: the database is away", host_run.pk)
            except Exception:
                # A defect of ours must not take the other hosts along.
                logger.exception("host run %s: unexpected", host_run.pk)
                with suppress(ClaimLost):
                    worker.give_up()
            finally:
                self.held.discard(host_run.pk)


@contextmanager
def _heartbeat(claim: str, held: Collection[int]) -> Iterator[None]:
    """Renew the leases of what is `held` behind the block, in a thread with its own connection."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(settings.GUARDIA_LEASE_SECONDS / 4):
                try:
                    close_old_connections()
                    renew_claims(claim, list(held))
                except DatabaseError:  # away for a moment: the next beat comes before the lease ends
                    logger.warning("leases of claim %s could not be renewed", claim, exc_info=True)
                    connection.close()
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)
