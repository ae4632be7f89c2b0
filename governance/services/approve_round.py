from django.db import transaction

from accounts.models import User
from governance.models import ApprovalRound, ApprovalStep
from governance.signals import task_approved
from tickets.models import OpsTask
from tickets.services.transition_task import transition_task


def approve_round(*, round_: ApprovalRound, task: OpsTask, actor: User | str) -> None:
    """All steps of a locked task's round are approved: say so, and wake the floor above after commit."""
    round_.approve()
    round_.save()
    transition_task(task=task, by="approve", actor=actor, plan_digest=round_.plan_digest)
    transaction.on_commit(lambda: task_approved.send(ApprovalStep, task_pk=task.pk))
