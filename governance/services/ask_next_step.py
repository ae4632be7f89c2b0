from governance.choices import StepStatus
from governance.models import ApprovalRound, ApprovalStep
from notifications.services import notify


def ask_next_step(round_: ApprovalRound) -> ApprovalStep | None:
    """Make the first waiting step pending and tell its person; None when no step is left."""
    step = round_.steps.select_for_update().filter(status=StepStatus.WAITING).order_by("order").first()
    if step is None:
        return None
    step.ask()
    step.save()
    task = round_.task
    notify(
        recipients=[step.approver],
        kind="approval_requested",
        key=f"step:{step.pk}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        title=task.title,
    )
    return step
