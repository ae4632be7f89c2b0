"""What is told, as translatable sentences. A notification keeps its kind and values; the words are made when it is
read, in the reader's language."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: kind → sentence with named placeholders. `task` is given where there is one.
KINDS: dict[str, Promise] = {
    "approval_requested": _("%(task)s waits for your approval: %(title)s"),
    "approval_escalated": _("%(task)s waits for your approval in place of %(name)s: %(title)s"),
    "approval_urgent": _("Urgent: nobody has answered for %(task)s. You are the last to be asked: %(title)s"),
    "approval_reassigned": _("%(actor)s handed the approval of %(task)s to you: %(reason)s"),
    "question_asked": _("%(actor)s asks about %(task)s: %(question)s"),
    "question_answered": _("%(actor)s answered about %(task)s: %(answer)s"),
    "task_withdrawn": _("%(task)s was withdrawn by %(actor)s: %(title)s"),
    "absence_set": _("%(actor)s entered an absence for you (%(period)s): %(reason)s"),
    "absence_ended": _("%(actor)s ended your absence (%(period)s): %(reason)s"),
    "authority_stale": _("The people named for %(count)s systems need attention: %(systems)s"),
    "task_rejected": _("%(task)s was rejected by %(actor)s: %(reason)s"),
    "info_needed": _("%(task)s needs information: %(missing)s"),
    "run_started": _("%(task)s is being carried out on %(hosts)s servers."),
    "validation_requested": _("%(task)s was carried out. Please validate the result: %(title)s"),
    "run_failed": _("%(task)s failed and was rolled back: %(reason)s"),
    "manual_needed": _("%(task)s needs manual intervention: %(reason)s"),
    "task_completed": _("%(task)s is completed: %(title)s"),
    "rework_requested": _("%(task)s: the result was not accepted by %(actor)s: %(reason)s"),
    "plan_voided": _("%(task)s: what was approved has changed, so it must be approved again. Changed: %(parts)s"),
}
