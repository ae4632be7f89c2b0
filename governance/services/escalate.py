"""What happens when nobody answers in time: the next level is asked, and after the last the task is rejected."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q
from django.db.models.functions import Now

from accounts.models import Institution, User
from audit.services import Draft, record_across
from governance.choices import StepStatus
from governance.ladder import Roster, Rung
from governance.models import Absence, ApprovalStep
from governance.services.ask_requester import restart_forsaken_timers
from governance.services.expire_steps import ACTOR, expire_steps
from governance.services.open_step import invitation
from governance.timer import seconds_of
from notifications.services import send
from tickets.choices import TaskStatus
from tickets.models import OpsTask

BATCH = 500
_LATE = Q(due_at__lte=Now())
#: Asked, and not standing still for a question, of somebody who can't answer now.
_DESERTED = Q(due_at__isnull=False) & (
    Q(approver__is_active=False) | Exists(Absence.in_force().filter(user=OuterRef("approver")))
)
_CLIMB = """
UPDATE governance_approvalstep AS step
SET approver_id = asked.person, escalation_level = asked.level, asked_at = statement_timestamp(),
    due_at = statement_timestamp() + make_interval(secs => asked.seconds)
FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::float[]) AS asked (step, person, level, seconds)
WHERE step.id = asked.step"""
logger = logging.getLogger(__name__)


class _Due(NamedTuple):
    step: int
    task: int


class _Climb(NamedTuple):
    step: ApprovalStep
    task: OpsTask
    rung: Rung


def escalate_due_steps(batch: int = BATCH) -> int:
    """Carry every step whose deadline has passed one level on, and every one whose person is away or has left since it
    was asked, where somebody above them can be reached; returns how many were carried.

    In order of their deadlines within each institution. Each fires once: its timer starts again, and what another
    sweep or an approver holds at this moment is left to them. After any outage a step therefore climbs one level, not
    several.
    """
    restart_forsaken_timers()
    due = ApprovalStep.objects.filter(_LATE | _DESERTED, status=StepStatus.PENDING)
    ordered = due.order_by("round__task__institution_id", "due_at", "pk").values_list("pk", "round__task_id")
    rows = (_Due(step, int(task)) for step, task in ordered.iterator())
    fired = 0
    while chunk := list(islice(rows, batch)):
        fired += _carry_apart(chunk)
    return fired


def _carry_apart(chunk: Sequence[_Due]) -> int:
    """One batch; where it can't be carried, its halves, so that in the end only the step that fails stays behind: told
    in the log, and tried again by the next sweep. A database that fails altogether is nobody's step: it is raised."""
    try:
        return _carry(chunk)
    except (InterfaceError, OperationalError):
        raise
    except Exception:
        if len(chunk) == 1:
            logger.exception("Approval step %s could not be escalated.", chunk[0].step)
            return 0
    middle = len(chunk) // 2
    return _carry_apart(chunk[:middle]) + _carry_apart(chunk[middle:])


@transaction.atomic
def _carry(chunk: Sequence[_Due]) -> int:
    """One batch in one transaction: tasks locked, then steps, then the chains."""
    if not (locked := _lock(chunk)):
        return 0
    steps = [step for step, _is_late in locked]
    rosters = Roster.load_many({step.round.task.institution_id for step in steps})
    deciders = _deciders(steps)
    climbs: list[_Climb] = []
    ends: list[tuple[ApprovalStep, OpsTask]] = []
    for step, is_late in locked:
        task, original = step.round.task, step.original_owner_id or 0
        rung = rosters[task.institution_id].reachable(
            step.role,
            task.system_id,
            original_id=original,
            barred={*task.author_ids, step.approver_id or 0, original, *deciders[step.round_id]},
            above=step.escalation_level,
        )
        if rung is not None:
            climbs.append(_Climb(step, task, rung))
        elif is_late:  # else there is time left in which somebody may come back
            ends.append((step, task))
    _climb(climbs, rosters)
    expire_steps(ends)
    return len(climbs) + len(ends)


def _lock(chunk: Sequence[_Due]) -> list[tuple[ApprovalStep, bool]]:
    """The steps that are still due, and whether they are late; locked after their tasks, in the order of the chunk,
    with all that is told of them.

    The people and institutions of a batch are few, so they are read once each instead of joined to every row.
    """
    tasks = {
        task.pk: task
        for task in OpsTask.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
        .filter(pk__in=[row.task for row in chunk], status=TaskStatus.PENDING_APPROVAL)
        .order_by("pk")
    }
    locked = ApprovalStep.objects.select_for_update(of=("self",)).select_related("round").order_by("pk")
    due = locked.filter(_LATE | _DESERTED, pk__in=[row.step for row in chunk], status=StepStatus.PENDING)
    timed = due.filter(round__task__in=tasks).annotate(is_late=ExpressionWrapper(_LATE, BooleanField()))
    found = {step.pk: step for step in timed}
    steps: list[tuple[ApprovalStep, bool]] = [
        (found[row.step], bool(found[row.step].is_late)) for row in chunk if row.step in found
    ]
    people = User.objects.in_bulk(
        {
            pk
            for step, _is_late in steps
            for pk in (step.approver_id, step.original_owner_id, tasks[step.round.task_id].requester_id)
        }
        - {None}
    )
    places = Institution.objects.in_bulk({task.institution_id for task in tasks.values()})
    for step, _is_late in steps:
        task = step.round.task = tasks[step.round.task_id]
        task.institution, task.requester = places[task.institution_id], people[task.requester_id]
        step.approver = people.get(step.approver_id or 0)
        step.original_owner = people.get(step.original_owner_id or 0)
    return steps


def _climb(climbs: Sequence[_Climb], rosters: dict[int, Roster]) -> None:
    """All steps of a batch that somebody is asked for anew, in one statement."""
    if not climbs:
        return
    seconds = [seconds_of(rosters[task.institution_id].sla_minutes(task.system_id)) for _step, task, _rung in climbs]
    keys, levels = [step.pk for step, _task, _rung in climbs], [rung.level.value for _step, _task, rung in climbs]
    with connection.cursor() as cursor:
        cursor.execute(_CLIMB, [keys, [rung.person.pk for _step, _task, rung in climbs], levels, seconds])
    record_across((climb.task.institution, _entry(climb)) for climb in climbs)
    send([message for climb in climbs for message in invitation(*climb)])


def _entry(climb: _Climb) -> Draft:
    step, task, rung = climb
    return Draft(
        "approval.escalated",
        ACTOR,
        step,
        task.task_id,
        "",
        {
            "order": step.order,
            "role": step.role,
            "level": rung.level.value,
            "from": step.asked_person.get_username(),
            "asked": rung.person.get_username(),
        },
    )


def _deciders(steps: Iterable[ApprovalStep]) -> defaultdict[int, set[int]]:
    """Round → ids of those who decided one of its steps."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    decided = ApprovalStep.objects.filter(round__in={step.round_id for step in steps}).exclude(decided_by=None)
    for round_id, person in decided.values_list("round_id", "decided_by_id"):
        found[round_id].add(person or 0)
    return found
