"""What each task waits for, and when it should start: joins the approvals, the hours and the engine's locks.

A page of tasks costs a fixed number of queries, however many there are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import F, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from execution.choices import HaltScope, HeldFor
from execution.gate.halts import living_halts, words_of
from execution.models import Halt, HostLock, Run
from governance.choices import HoldKind, StepStatus
from governance.models import ApprovalStep
from governance.selectors_windows import Exposure, Hold, Hours, hold_by, hours_of_tasks
from guardia.common.clock import now
from tickets.choices import TaskStatus
from tickets.models import OpsTask

_READY = (TaskStatus.APPROVED, TaskStatus.SCHEDULED)
_QUEUED = (TaskStatus.PENDING_APPROVAL, *_READY)
#: What a run waits for by its strategy or by people, not by the calendar.
_STEERED = (HeldFor.BAKE, HeldFor.GATE, HeldFor.PAUSE)
_LABELS: dict[str, Promise] = {
    "approval": gettext_lazy("Approval"),
    "halt": gettext_lazy("Kill switch"),
    "held": gettext_lazy("Next wave"),
    **{kind.lower(): kind.label for kind in _STEERED},
    "lock": gettext_lazy("Server in use"),
    "turn": gettext_lazy("Its turn"),
    "release": gettext_lazy("To be started by hand"),
    **{kind.value: kind.label for kind in HoldKind},
}


@dataclass(frozen=True, slots=True)
class Wait:
    """One task's place in the queue. `kind` is a key of the labels; `expected` is None where nobody can say."""

    kind: str
    words: str
    expected: datetime | None = None
    hold: Hold | None = None

    @property
    def label(self) -> str | Promise:
        return _LABELS[self.kind]


def queue_of(tasks: QuerySet[OpsTask]) -> QuerySet[OpsTask]:
    """What hasn't run yet and runs that are held, in the order in which they go: priority, urgency, age."""
    waiting = Q(status__in=_QUEUED)
    held = Run.objects.filter(held_at__isnull=False, finished_at=None).values("task")
    return tasks.filter(waiting | Q(status=TaskStatus.EXECUTING, pk__in=held)).order_by(
        F("priority").asc(), "-is_urgent", "pk"
    )


@dataclass(frozen=True, slots=True)
class Facts:
    """By task key: the step that asks somebody and the run that is held; what the hours depend on; and what is pressed
    of the kill switch beyond single runs."""

    asked: Mapping[int, ApprovalStep]
    held: Mapping[int, Run]
    exposure: Exposure
    halts: Sequence[Halt]

    @classmethod
    def read(cls, tasks: Sequence[OpsTask]) -> "Facts":
        steps = ApprovalStep.objects.filter(round__task__in=tasks, status=StepStatus.PENDING)
        runs = Run.objects.filter(task__in=tasks, held_at__isnull=False, finished_at=None)
        return cls(
            asked={step.round.task_id: step for step in steps.select_related("round", "approver")},
            held={run.task_id: run for run in runs},
            exposure=Exposure.read(tasks),
            halts=list(living_halts().exclude(scope=HaltScope.RUN)),
        )


def waits_of(tasks: Sequence[OpsTask], facts: Facts | None = None) -> dict[int, Wait]:
    """Task key → what it waits for; tasks that wait for nothing of ours are left out. `facts`: where a page has read
    them already."""
    moment, facts = now(), facts or Facts.read(tasks)
    tasks = [task for task in tasks if task.status in _QUEUED or task.pk in facts.held]
    ready = [task for task in tasks if task.status in _READY]
    hours = hours_of_tasks(tasks, moment, facts.exposure) if tasks else {}
    locks = _locks(ready) if ready else {}
    found = {}
    for task in tasks:
        halt = next((row for row in reversed(facts.halts) if row.institution_id in (None, task.institution_id)), None)
        if halt is not None and task.status in _READY:
            found[task.pk] = Wait("halt", words_of(halt))
            continue
        step, run = facts.asked.get(task.pk), facts.held.get(task.pk)
        wait = _wait(task, hours[task.pk], moment, step, run, locks.get(task.pk))
        if wait is not None:
            found[task.pk] = wait
    return found


def _locks(tasks: Sequence[OpsTask]) -> dict[int, HostLock]:
    """Task key → the oldest lock on one of its servers."""
    rows = HostLock.objects.filter(server__tasks__in=tasks).select_related("server", "run__task")
    return {row.waiting_task: row for row in rows.annotate(waiting_task=F("server__tasks")).order_by("-pk")}


def _wait(
    task: OpsTask,
    hours: Hours,
    moment: datetime,
    step: ApprovalStep | None,
    run: Run | None,
    lock: HostLock | None,
) -> Wait | None:
    if run is not None and run.held_for in _STEERED:
        return Wait(run.held_for.lower(), run.held_because)
    if run is not None:
        hold = hold_by(hours if run.resumed_by_id is None else replace(hours, windows=()), task, moment)
        return Wait("held", hold.why if hold else run.held_because, hold.opens_at if hold else moment, hold)
    hold = hold_by(hours, task, moment)
    if task.status == TaskStatus.PENDING_APPROVAL:
        words = _("%(name)s is asked (%(role)s).") % {
            "name": step.approver if step else "-",
            "role": step.get_role_display() if step else "-",
        }
        return Wait("approval", words, hold.opens_at if hold else None, hold)
    if task.status not in _READY:
        return None
    if task.is_held:
        return Wait("release", task.reason)
    if hold is not None:
        return Wait(hold.kind.value, hold.why, hold.opens_at, hold)
    if lock is not None:
        words = _("%(task)s works on %(server)s.") % {"task": lock.run.task, "server": lock.server}
        return Wait("lock", words)
    return Wait("turn", task.reason or _("A worker takes it within a minute."), moment)
