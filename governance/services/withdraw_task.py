from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from governance.choices import StepStatus
from governance.models import ApprovalStep
from governance.selectors import living_round
from governance.services.void_round import void_round
from guardia.common.errors import NotPermitted
from notifications.services import notify
from tickets.exceptions import NotInThatState
from tickets.locks import lock_visible_task
from tickets.models import OpsTask
from tickets.services.transition_task import transition_task


@transaction.atomic
def withdraw_task(*, actor: User, task_id: str, reason: str = "") -> OpsTask:
    """The requester takes a task back before it runs; what was approved of it is void, and who decided is told.

    Raises NotVisible, NotPermitted, NotInThatState.
    """
    task = lock_visible_task(task_id, actor)
    if actor.pk != task.requester_id:
        raise NotPermitted(_("Only %(name)s, who filed the task, can withdraw it.") % {"name": task.requester})
    round_ = living_round(task)
    concerned = [step.asked_person for step in _asked(round_.pk)] if round_ is not None else []
    try:
        transition_task(task=task, by="withdraw", actor=actor, reason=reason.strip())
    except NotInThatState as error:
        raise NotInThatState(
            _("%(task)s is “%(status)s”: it can be withdrawn only before it runs. An operator can stop a run.")
            % {"task": task, "status": task.get_status_display()},
            current=error.details["current"],
        ) from error
    void_round(task)
    notify(
        recipients=concerned,
        kind="task_withdrawn",
        key=f"round:{round_.pk if round_ else 0}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        actor=actor,
        title=task.title,
    )
    return task


def _asked(round_pk: int) -> list[ApprovalStep]:
    """Steps whose person has been asked: the others never heard of the task."""
    steps = ApprovalStep.objects.filter(round=round_pk, status__in=[StepStatus.PENDING, StepStatus.APPROVED])
    return list(steps.select_related("approver"))
