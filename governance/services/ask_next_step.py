from governance.choices import StepStatus
from governance.models import ApprovalRound, ApprovalStep
from governance.services.open_step import open_step


def ask_next_step(round_: ApprovalRound) -> ApprovalStep | None:
    """Make the first waiting step pending and tell its person; None when no step is left.

    The step comes back EXPIRED, its round and task rejected, where nobody can be reached for it.
    """
    step = round_.steps.select_for_update().filter(status=StepStatus.WAITING).order_by("order").first()
    if step is None:
        return None
    open_step(step)
    return step
