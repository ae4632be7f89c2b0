from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from guardia.common.errors import NotPermitted
from tickets.exceptions import NotInThatState
from tickets.locks import lock_visible_task
from tickets.models import OpsTask
from tickets.services.apply_understanding import apply_understanding
from tickets.services.transition_task import transition_task
from tickets.understanding import understand


@transaction.atomic
def resubmit_task(*, actor: User, task_id: str, reason: str = "") -> OpsTask:
    """File a rejected or withdrawn task again: the same record, understood and planned anew, approved in a new round.

    The requester only. Raises NotVisible, NotPermitted, NotInThatState, and what `understand` does.
    """
    task = lock_visible_task(task_id, actor)
    if actor.pk != task.requester_id:
        raise NotPermitted(_("Only %(name)s, who filed the task, can file it again.") % {"name": task.requester})
    try:
        transition_task(task=task, by="resubmit", actor=actor, reason=reason.strip())
    except NotInThatState as error:
        raise NotInThatState(
            _("%(task)s is “%(status)s”: only what was rejected or withdrawn can be filed again.")
            % {"task": task, "status": task.get_status_display()},
            current=error.details["current"],
        ) from error
    understood = understand(
        actor=actor,
        text=task.text,
        has_artefact=task.artefacts.exists(),
        system_code=task.system.code if task.system else "",
        hostnames=list(task.servers.values_list("hostname", flat=True)),
        sub_type=task.named.get("sub_type", ""),
        params=task.named.get("params", {}),
    )
    return apply_understanding(task=task, understood=understood, actor=actor)
