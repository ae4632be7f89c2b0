"""What happens when nobody answers in time: the next level is asked, and after the last the task is rejected."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby, islice
from typing import NamedTuple

from django.db import transaction
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q
from django.db.models.functions import Now

from audit.services import Draft, record_many
from governance.choices import StepStatus
from governance.ladder import Roster, Rung
from governance.models import Absence, ApprovalStep
from governance.services.ask_requester import restart_forsaken_timers
from governance.services.expire_steps import ACTOR, expire_steps
from governance.services.open_step import invitation
from governance.timer import due_in
from notifications.services import send
from tickets.choices import TaskStatus
from tickets.models import OpsTask

BATCH = 500
_LATE = Q(due_at__lte=Now())
#: Asked, and not standing still for a question, of somebody who can't answer now.
_DESERTED = Q(due_at__isnull=False) & (
    Q(approver__is_active=False) | Exists(Absence.in_force().filter(user=OuterRef("approver")))
)


class _Due(NamedTuple):
    pk: int
    task: int
    institution: int


class _Climb(NamedTuple):
    step: ApprovalStep
    task: OpsTask
    rung: Rung


def escalate_due_steps(batch: int = BATCH) -> int:
    """Carry every step whose deadline has passed one level on, and every one whose person is away or has left since it
    was asked, where somebody above them can be reached; returns how many were carried.

    In order of their deadlines within each institution, whose chain is locked once per batch. Each fires once: its
    timer starts again, and what another sweep or an approver holds at this moment is left to them. After any outage
    a step therefore climbs one level, not several.
    """
    restart_forsaken_timers()
    due = ApprovalStep.objects.filter(_LATE | _DESERTED, status=StepStatus.PENDING)
    rows = due.order_by("round__task__institution_id", "due_at", "pk").values_list(
        "pk", "round__task_id", "round__task__institution_id"
    )
    fired = 0
    for _institution, of_one in groupby(
        [_Due(pk, int(task), institution) for pk, task, institution in rows], key=lambda row: row.institution
    ):
        while chunk := list(islice(of_one, batch)):
            fired += _carry(chunk)
    return fired


@transaction.atomic
def _carry(chunk: Sequence[_Due]) -> int:
    """One batch of one institution, in one transaction: tasks locked, then steps, then the chain."""
    tasks = {
        task.pk: task
        for task in OpsTask.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
        .select_related("institution", "requester")
        .filter(pk__in=[row.task for row in chunk], status=TaskStatus.PENDING_APPROVAL)
        .order_by("pk")
    }
    steps = list(
        ApprovalStep.objects.select_for_update(of=("self",))
        .select_related("round", "approver", "original_owner")
        .filter(pk__in=[row.pk for row in chunk], round__task__in=tasks)
        .annotate(is_late=ExpressionWrapper(_LATE, BooleanField()))
        .filter(_LATE | _DESERTED, status=StepStatus.PENDING)
        .order_by("due_at", "pk")
    )
    roster, deciders = Roster.load(chunk[0].institution), _deciders(steps)
    climbs: list[_Climb] = []
    ends: list[tuple[ApprovalStep, OpsTask]] = []
    for step in steps:
        task = step.round.task = tasks[step.round.task_id]
        original = step.original_owner_id or 0
        barred = {task.requester_id, step.approver_id or 0, original, *deciders[step.round_id]}
        rung = roster.reachable(
            step.role,
            task.system_id,
            original_id=original,
            barred=barred,
            above=step.escalation_level,
        )
        if rung is not None:
            climbs.append(_Climb(step, task, rung))
        elif step.is_late:  # else there is time left in which somebody may come back
            ends.append((step, task))
    _climb(climbs, roster)
    expire_steps(ends)
    return len(climbs) + len(ends)


def _climb(climbs: Sequence[_Climb], roster: Roster) -> None:
    """Steps that go to the same person for the same time are written together."""
    if not climbs:
        return
    groups: defaultdict[tuple[int, int, int], list[int]] = defaultdict(list)
    for step, task, rung in climbs:
        groups[rung.person.pk, rung.level, roster.sla_minutes(task.system_id)].append(step.pk)
    for (person, level, minutes), pks in groups.items():
        ApprovalStep.objects.filter(pk__in=pks).update(
            approver=person, escalation_level=level, asked_at=Now(), due_at=due_in(minutes)
        )
    record_many([_entry(climb) for climb in climbs], institution=climbs[0].task.institution)
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
