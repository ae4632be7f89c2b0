from governance.choices import StepStatus
from governance.models import ApprovalRound, ApprovalStep
from governance.services.open_step import open_step
from governance.services.satisfy_step import satisfy_step


def ask_next_step(round_: ApprovalRound) -> ApprovalStep | None:
    """Make the first waiting step pending and tell its person; None when no step is left.

    Steps that need nobody's word now (automatic checks, standing pre-approvals) are satisfied on the way. The step
    comes back EXPIRED, its round and task rejected, where nobody can be reached for it.
    """
    step = _next(round_)
    while step is not None and satisfy_step(step):
        step = _next(round_)
    if step is not None:
        open_step(step)
    return step


def _next(round_: ApprovalRound) -> ApprovalStep | None:
    return round_.steps.select_for_update().filter(status=StepStatus.WAITING).order_by("order").first()
