from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.who import named
from audit.refusals import refusals_recorded
from audit.services import record
from governance.choices import StepRole
from governance.exceptions import SelfApproval
from governance.selectors import people_for
from governance.services.bastion import require_bastion
from governance.signals import task_approved
from guardia.common.errors import NotPermitted
from tickets.choices import TaskStatus
from tickets.exceptions import NotInThatState
from tickets.locks import lock_visible_task
from tickets.models import OpsTask


@refusals_recorded
@transaction.atomic
def release_task(*, actor: User, task_id: str) -> OpsTask:
    """Start an approved task that was asked for at a certain time: the owner's people or a PM say that it is time.

    Raises NotVisible, OutsideBastion, SelfApproval, NotPermitted, NotInThatState.
    """
    task = lock_visible_task(task_id, actor)
    require_bastion(actor=actor, institution=task.institution)
    people = who_may_release(task)
    if actor not in people:
        is_own = actor.pk in task.author_ids
        raise (SelfApproval if is_own else NotPermitted)(
            _("These people can start it: %(names)s") % {"names": named(people)}
        )
    if task.status != TaskStatus.APPROVED or not task.is_held:
        raise NotInThatState(current=task.status)
    task.is_held = False
    task.save(update_fields=["is_held", "changed_at"])
    record(action="task.released", actor=actor, institution=task.institution, subject=task, task_id=task.task_id)
    transaction.on_commit(lambda: task_approved.send(OpsTask, task_pk=task.pk))
    return task


def who_may_release(task: OpsTask) -> list[User]:
    """The system's people and the institution's PMs, without its authors."""
    return list(dict.fromkeys([*people_for(StepRole.OWNER, task), *people_for(StepRole.PM, task)]))
