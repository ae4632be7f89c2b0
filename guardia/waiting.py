"""What each task waits for, and when it should start: joins the approvals, the hours and the engine's locks.

A page of tasks costs a fixed number of queries, however many there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import F, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from execution.choices import HaltScope
from execution.gate.halts import living_halts, words_of
from execution.models import HostLock, Run
from governance.choices import HoldKind, StepStatus
from governance.models import ApprovalStep
from governance.selectors_windows import Hold, Hours, hold_by, hours_of_tasks
from guardia.common.clock import now
from tickets.choices import TaskStatus
from tickets.models import OpsTask

_LABELS: dict[str, Promise] = {
    "approval": gettext_lazy("Approval"),
    "halt": gettext_lazy("Kill switch"),
    "held": gettext_lazy("Next wave"),
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
    waiting = Q(status__in=[TaskStatus.PENDING_APPROVAL, TaskStatus.APPROVED, TaskStatus.SCHEDULED])
    held = Run.objects.filter(held_at__isnull=False, finished_at=None).values("task")
    return tasks.filter(waiting | Q(status=TaskStatus.EXECUTING, pk__in=held)).order_by(
        F("priority").asc(), "-is_urgent", "pk"
    )


def waits_of(tasks: Sequence[OpsTask]) -> dict[int, Wait]:
    """Task key → what it waits for; tasks that wait for nothing of ours are left out."""
    moment, keys = now(), [task.pk for task in tasks]
    hours = hours_of_tasks(tasks, moment)
    steps = ApprovalStep.objects.filter(round__task__in=keys, status=StepStatus.PENDING)
    asked = {step.round.task_id: step for step in steps.select_related("round", "approver")}
    held = {run.task_id: run for run in Run.objects.filter(task__in=keys, held_at__isnull=False, finished_at=None)}
    rows = HostLock.objects.filter(server__tasks__in=keys).select_related("server", "run__task")
    locks = {row.waiting_task: row for row in rows.annotate(waiting_task=F("server__tasks")).order_by("-pk")}
    halts = list(living_halts().exclude(scope=HaltScope.RUN).order_by("pk"))
    found = {}
    for task in tasks:
        halt = next((row for row in halts if row.institution_id in (None, task.institution_id)), None)
        if halt is not None and task.status in (TaskStatus.APPROVED, TaskStatus.SCHEDULED):
            found[task.pk] = Wait("halt", words_of(halt))
            continue
        wait = _wait(task, hours[task.pk], moment, asked.get(task.pk), held.get(task.pk), locks.get(task.pk))
        if wait is not None:
            found[task.pk] = wait
    return found


def _wait(
    task: OpsTask,
    hours: Hours,
    moment: datetime,
    step: ApprovalStep | None,
    run: Run | None,
    lock: HostLock | None,
) -> Wait | None:
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
    if task.status not in (TaskStatus.APPROVED, TaskStatus.SCHEDULED):
        return None
    if task.is_held:
        return Wait("release", task.reason)
    if hold is not None:
        return Wait(hold.kind.value, hold.why, hold.opens_at, hold)
    if lock is not None:
        words = _("%(task)s works on %(server)s.") % {"task": lock.run.task, "server": lock.server}
        return Wait("lock", words)
    return Wait("turn", task.reason or _("A worker takes it within a minute."), moment)
