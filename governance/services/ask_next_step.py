from governance.choices import StepStatus
from governance.models import ApprovalRound, ApprovalStep
from governance.services.satisfy_step import satisfy_step
from notifications.services import notify


def ask_next_step(round_: ApprovalRound) -> ApprovalStep | None:
    """Make the first waiting step pending and tell its person; None when no step is left.

    Steps that need nobody's word now (automatic checks, standing pre-approvals) are satisfied on the way.
    """
    step = _next(round_)
    while step is not None and satisfy_step(step):
        step = _next(round_)
    if step is None:
        return None
    assert step.approver is not None, "what Guardia doesn't satisfy has somebody to ask"
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


def _next(round_: ApprovalRound) -> ApprovalStep | None:
    return round_.steps.select_for_update().filter(status=StepStatus.WAITING).order_by("order").first()
