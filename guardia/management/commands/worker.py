"""`manage.py worker`: one django-q2 cluster. First it picks up what a killed worker left, then it waits for bells and,
beside them, looks for approvals whose deadline has passed."""

import logging
import signal
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error, close_old_connections, connections
from django.utils.module_loading import autodiscover_modules
from django_q.cluster import Cluster

from execution.rollout.sweep import sweep
from governance.services.escalate import escalate_due_steps
from guardia.common.heap import settle
from guardia.schedules import reconcile

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run a worker: plans, rollouts, sweeps, escalations."
    _is_asked_to_stop = False

    def handle(self, *args: Any, **options: Any) -> None:
        reconcile()
        sweep()
        escalate_due_steps()
        autodiscover_modules("tasks")
        settle()
        connections.close_all()  # the cluster forks, and a connection can't be shared
        cluster = Cluster()
        cluster.start()
        # The cluster's own handlers would wait for its workers in the middle of an escalation that holds their locks.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        sentinel: Any = cluster.sentinel
        while not self._is_asked_to_stop and sentinel.is_alive():
            _escalate()
            self._nap(settings.GUARDIA_SWEEP_SECONDS)
        cluster.stop()

    def _ask_to_stop(self, *_args: Any) -> None:
        self._is_asked_to_stop = True

    def _nap(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while not self._is_asked_to_stop and (left := ends - time.monotonic()) > 0:
            time.sleep(min(left, 0.5))


def _escalate() -> None:
    """One look. A database that is away is waited for: the deadlines are in it, nothing is lost."""
    try:
        close_old_connections()
        escalate_due_steps()
    except Error:
        logger.exception("escalation waits for the database")
        time.sleep(1)
