"""The one place where tasks are locked. Order everywhere: task → day → approval round → run → event head → chain.

Locks are taken without the key (`FOR NO KEY UPDATE`): PostgreSQL takes a share of the key for every row that refers to
this one, at the end of the other transaction and so out of our order; that must not wait for us.
"""

from accounts.models import User
from accounts.scope import visible_to
from guardia.common.clock import local_day
from guardia.common.errors import NotVisible
from tickets.models import OpsTask, TaskNumber
from tickets.selectors import storable


def lock_day() -> TaskNumber:
    """Today's row of numbers (of Seoul): no number is lost or doubled, and no two requests both take the last room of
    a quota. Locked after a task, where both are."""
    day = local_day()
    TaskNumber.objects.get_or_create(day=day)
    return TaskNumber.objects.select_for_update(no_key=True).get(day=day)


def lock_task(pk: int) -> OpsTask:
    """The task's row, locked until the transaction ends, freshly read."""
    return (
        OpsTask.objects.select_for_update(of=("self",), no_key=True)
        .select_related("institution", "system", "requester")
        .get(pk=pk)
    )


def lock_visible_task(task_id: str, actor: User) -> OpsTask:
    """The same by TASK_ID, for a user; raises NotVisible for what isn't theirs to see."""
    task = visible_to(OpsTask.objects.filter(task_id=storable(task_id)), actor).only("pk").first()
    if task is None:
        raise NotVisible
    return lock_task(task.pk)
