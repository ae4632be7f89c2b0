"""What is told, as translatable sentences. A notification keeps its kind and values; the words are made when it is
read, in the reader's language."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: kind → sentence with named placeholders. `task` is given wherever a task is meant.
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
    "policy_change_proposed": _("%(actor)s proposes a change of the approval policy “%(title)s”. It waits for you."),
    "policy_change_decided": _("%(actor)s decided on your change of the policy “%(title)s”: %(outcome)s"),
    "run_held": _("%(task)s: the next wave waits. %(reason)s"),
    "halt_pressed": _("Kill switch (%(target)s), pressed by %(actor)s: %(reason)s"),
    "halt_lifted": _("Kill switch lifted (%(target)s) by %(actor)s: %(reason)s"),
    "run_halted": _("%(task)s was halted. %(reason)s"),
    "freeze_exception_requested": _("%(task)s asks for an exception from the freeze “%(freeze)s”: %(reason)s"),
    "freeze_exception_granted": _("%(task)s may go on in spite of the freeze “%(freeze)s”, says %(actor)s."),
    "freeze_exception_refused": _("%(task)s stays frozen (“%(freeze)s”), says %(actor)s: %(reason)s"),
    "review_requested": _("%(task)s: revision %(revision)s of the change waits for your review: %(title)s"),
    "change_reviewed": _("%(task)s: revision %(revision)s of the change was reviewed by %(actor)s."),
    "planned_again": _("%(task)s is planned again by %(actor)s: %(reason)s"),
    "taken_over": _("%(task)s was taken over by hand by %(actor)s: %(reason)s"),
    "work_recorded": _("%(task)s: %(actor)s recorded work done by hand. Please look at the evidence: %(title)s"),
    "closed_by_hand": _("%(task)s was done by hand and accepted by %(actor)s: %(title)s"),
    "closed_not_done": _("%(task)s was closed by %(actor)s without being done: %(reason)s"),
    "plan_voided": _("%(task)s: what was approved has changed, so it must be approved again. Changed: %(parts)s"),
    "integrity_broken": _("Integrity alert: %(chain)s is not what was recorded, from number %(number)s on."),
    "witness_failing": _("Checkpoints don't reach the store %(store)s since %(since)s: %(problem)s"),
    "logged_in_elsewhere": _("Your account was logged in at %(time)s from %(address)s while another session was open."),
}
