from django_fsm import can_proceed

from accounts.models import User
from audit.services import record
from tickets.exceptions import NotInThatState
from tickets.models import OpsTask

#: The chain tells what happened, in the past tense.
_PAST = {
    "mark_parsed": "parsed",
    "ask_for_information": "information_requested",
    "submit": "submitted",
    "approve": "approved",
    "reject": "rejected",
    "schedule": "scheduled",
    "start": "started",
    "finish": "finished",
    "fail": "failed",
    "hand_over": "handed_over",
    "complete": "completed",
    "withdraw": "withdrawn",
    "resubmit": "resubmitted",
    "retry": "retried",
    "plan_again": "sent_back_to_planning",
    "prepare_change": "change_wanted",
    "submit_change": "change_submitted",
    "accept_change": "change_accepted",
    "close_by_hand": "closed_by_hand",
    "close_not_done": "closed_not_done",
    "drop": "dropped",
    "halt": "halted",
    "go_on": "went_on",
    "close_halted": "closed_not_done",
}


def transition_task(*, task: OpsTask, by: str, actor: User | str, reason: str = "", **facts: object) -> OpsTask:
    """Carry a locked task over one transition (`by` is its method's name), save it and write the entry.

    The caller has locked the task (`tickets.locks`), checked the permission, and owns the transaction. Raises
    NotInThatState (409) where the state machine has no such way from here.
    """
    method = getattr(task, by)
    before = task.status
    if not can_proceed(method):
        raise NotInThatState(current=before)
    method(reason) if reason else method()
    task.save()
    record(
        action=f"task.{_PAST.get(by, by)}",
        actor=actor,
        institution=task.institution,
        subject=task,
        task_id=task.task_id,
        summary=reason,
        **{"from": before, "to": task.status, **facts},
    )
    return task
