"""Checkpoints to the stores outside. A store that hangs or is gone costs one thread and an alarm, nothing else."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from audit.models import Checkpoint, Witness
from audit.services.record import record
from audit.signals import witness_failing
from audit.stores import Store, configured
from guardia.common.clock import now
from guardia.common.masking import mask

logger = logging.getLogger(__name__)
#: What one round hands to one store; the rest waits in the table for the next round.
_AT_ONCE = 200
ALARM_AFTER = timedelta(minutes=15)
_hanging: dict[str, threading.Thread] = {}


def deliver_checkpoints() -> None:
    """Hand every store what it doesn't have yet, in order. Never raises for a store."""
    last = Checkpoint.objects.order_by("number").last()
    if last is None:
        return
    for store in configured():
        witness = Witness.objects.get_or_create(name=store.name)[0]
        waiting = list(
            Checkpoint.objects.filter(number__gt=witness.delivered).order_by("number").values_list("number", "line")
        )[:_AT_ONCE]
        if waiting:
            _note(store, *_hand_over(store, waiting))


def _hand_over(store: Store, waiting: list[tuple[int, str]]) -> tuple[int, str, str]:
    """(the last number it took, its state, what went wrong), within GUARDIA_WITNESS_SECONDS and a little."""
    if (old := _hanging.get(store.name)) is not None and old.is_alive():
        return 0, "", "still hanging"
    taken, state, problem = [0], [""], ["no answer in time"]

    def work() -> None:
        try:
            for number, line in waiting:
                store.put(number, line)
                taken[0] = number
            state[0] = store.state()
            problem[0] = ""
        except OSError as error:
            problem[0] = f"{type(error).__name__}: {error}"
        except Exception as error:
            logger.exception("checkpoint store %s", store.name)
            problem[0] = type(error).__name__

    thread = _start(work, store.name)
    thread.join(settings.GUARDIA_WITNESS_SECONDS + 1)
    if thread.is_alive():
        _hanging[store.name] = thread
    return taken[0], state[0], problem[0]


def _start(work: Callable[[], None], name: str) -> threading.Thread:
    thread = threading.Thread(target=work, name=f"store {name}", daemon=True)
    thread.start()
    return thread


@transaction.atomic
def _note(store: Store, taken: int, state: str, problem: str) -> None:
    """Keep how far the store is; the first failure and the recovery are entries, and a lasting failure is an alarm."""
    witness = Witness.objects.select_for_update().get(name=store.name)
    was_failing, moment = witness.failing_since, now()
    witness.delivered = max(witness.delivered, taken)
    witness.tried_at, witness.error = moment, mask(problem)[:500]
    witness.state = state or witness.state
    witness.failing_since = (was_failing or moment) if problem else None
    witness.save()
    if bool(problem) != bool(was_failing):
        action = "checkpoint_store.failed" if problem else "checkpoint_store.recovered"
        record(action=action, actor="guardia", institution=None, subject=witness, summary=problem)
    if was_failing and problem and moment - was_failing >= ALARM_AFTER:
        transaction.on_commit(lambda: witness_failing.send(Witness, witness=witness))
