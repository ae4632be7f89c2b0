"""Pressing the kill switch. It needs the database and nothing else: no queue, no worker, no lock of another's."""

import logging

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import Institution, Membership, User
from accounts.scope import visible_to
from audit.services import record
from execution.choices import HaltScope
from execution.gate.halts import CHANNEL, living_halts, words_of
from execution.halts.who import require_halter
from execution.models import Halt, Run
from execution.rollout.locks import lock_run
from execution.rollout.stop_run import stop_if_halted
from governance.exceptions import ReasonMissing
from guardia.common.clock import now
from guardia.common.errors import NotVisible, StaleState
from guardia.common.queue import enqueue
from notifications.services import notify
from tickets.selectors import storable, visible_task

logger = logging.getLogger(__name__)
LINK = "/halt/"
#: Runs that the one who presses stops by themselves; the workers that drive them feel the switch anyway.
_AT_ONCE = 200
#: Milliseconds for a lock that another process holds; one that hangs must not hold up a press.
_HURRY = 500
_TOLD = (Role.PM, Role.OPERATOR, Role.SECURITY_OFFICER, Role.ADMINISTRATOR)


def halt(
    *,
    actor: User | str,
    scope: HaltScope,
    reason: str,
    institution: str = "",
    task_id: str = "",
    run_pk: int | None = None,
    rolls_back: bool = False,
) -> Halt:
    """Stop everything, an institution (by code), or a task's run, until it is lifted. `rolls_back`: what was begun goes
    back by itself; otherwise it stays as it is.

    The row is committed first, and workers are rung with it; then the runs are stopped as far as nobody holds their
    hosts. Raises NotVisible, NotPermitted, ReasonMissing, StaleState (no run to stop, or pressed already).
    """
    run = _run(actor, task_id, run_pk) if scope == HaltScope.RUN else None
    place = run.task.institution if run is not None else _institution(actor, scope, institution)
    require_halter(actor, place)
    if not reason.strip():
        raise ReasonMissing
    pressed = Halt(
        scope=scope,
        institution=place,
        run=run,
        reason=reason.strip()[:2000],
        rolls_back=rolls_back,
        halted_by=None if isinstance(actor, str) else actor,
        halted_as=str(actor)[:160],
    )
    _commit(pressed, actor)
    logger.critical("kill switch pressed (%s) by %s", pressed.scope, pressed.halted_as)
    stop_covered_runs(pressed)
    return pressed


def stop_covered_runs(pressed: Halt) -> None:
    """Stop what the press covers, each run in a transaction of its own; one that is stuck is left to the sweep."""
    runs = Run.objects.filter(finished_at=None).order_by("pk")
    if pressed.run_id is not None:
        runs = runs.filter(pk=pressed.run_id)
    elif pressed.institution_id is not None:
        runs = runs.filter(task__institution=pressed.institution_id)
    for pk in runs.values_list("pk", flat=True)[:_AT_ONCE]:
        try:
            with transaction.atomic():
                _hurry()
                run = lock_run(pk)
                if run.is_living:
                    stop_if_halted(run)
        except OperationalError:
            logger.warning("run %s: somebody holds its rows; a worker or the sweep stops it", pk)


def record_presses() -> None:
    """The entries of presses that could not wait for the chain."""
    for pk in Halt.objects.filter(recorded_at=None).values_list("pk", flat=True):
        with transaction.atomic():
            pressed = Halt.objects.select_for_update(of=("self",), no_key=True).get(pk=pk)
            if pressed.recorded_at is None:
                _record(pressed, pressed.halted_by or pressed.halted_as)


def _commit(pressed: Halt, actor: User | str) -> None:
    """With its entry; where the chain can't be had in time, without: the entry follows, the press doesn't wait."""
    try:
        with transaction.atomic():
            _hurry()
            _save(pressed)
            _record(pressed, actor)
    except OperationalError:
        logger.warning("kill switch: the chain is held by somebody; its entry follows")
        pressed.pk = pressed.recorded_at = None
        pressed.halted_at = now()
        with transaction.atomic():
            _save(pressed)


def _save(pressed: Halt) -> None:
    try:
        with transaction.atomic():
            pressed.save(force_insert=True)
    except IntegrityError as error:
        living = living_halts().filter(scope=pressed.scope, institution=pressed.institution, run=pressed.run).first()
        if living is None:
            raise
        raise StaleState(words_of(living), code="already_halted") from error
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(pressed.pk)])
    enqueue("execution.tasks.sweep")


def _record(pressed: Halt, actor: User | str) -> None:
    pressed.recorded_at = now()
    pressed.save(update_fields=["recorded_at"])
    record(
        action="halt.pressed",
        actor=actor,
        institution=pressed.institution,
        subject=pressed,
        task_id=pressed.run.task.task_id if pressed.run is not None else "",
        summary=pressed.reason,
        scope=pressed.scope,
        run=pressed.run_id,
        rolls_back=pressed.rolls_back,
    )
    tell(pressed, "halt_pressed", pressed.halted_as, pressed.reason)


def tell(pressed: Halt, kind: str, who: str, reason: str) -> None:
    """Everybody who could press or lift it, and the owners' PMs among them."""
    here = Membership.objects.filter(role__in=_TOLD)
    if pressed.institution_id is not None:
        here = here.filter(institution=pressed.institution_id) | here.filter(institution=None)
    people = User.objects.filter(is_active=True, pk__in=here.values("user"))
    notify(
        recipients=people,
        kind=kind,
        key=f"halt:{pressed.pk}",
        link=f"/tasks/{pressed.run.task.task_id}/" if pressed.run is not None else LINK,
        target=pressed.target,
        actor=who,
        reason=reason,
    )


def _hurry() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {_HURRY}")


def _institution(actor: User | str, scope: HaltScope, code: str) -> Institution | None:
    if scope == HaltScope.GLOBAL:
        return None
    everything = Institution.objects.all()
    found = (
        (everything if isinstance(actor, str) else visible_to(everything, actor)).filter(code=storable(code)).first()
    )
    if found is None:
        raise NotVisible
    return found


def _run(actor: User | str, task_id: str, run_pk: int | None) -> Run:
    """The living run of a task the actor may see (by TASK_ID), or any by its number from a console."""
    runs = Run.objects.select_related("task__institution").filter(finished_at=None)
    if not isinstance(actor, str):
        named = runs.filter(task=visible_task(actor, task_id))
    else:
        named = runs.filter(pk=run_pk) if run_pk is not None else runs.filter(task__task_id=storable(task_id))
    run = named.first()
    if run is None or not run.is_living:
        raise StaleState(_("No run of this task is under way."), code="nothing_to_halt")
    return run
