from audit.services import record
from governance.choices import SatisfiedBy
from governance.models import ApprovalStep
from governance.services.security_check import is_clean

ACTOR = "guardia"


def satisfy_step(step: ApprovalStep) -> bool:
    """Approve a locked, waiting step whose turn it is without asking anybody, where the policy allows it.

    The automatic check was made on the plan when the round was opened; its plan can't have changed since. True when
    the step is approved; the caller asks its person otherwise.
    """
    if not (step.is_automatic and step.approver_id is None and is_clean(step.findings)):
        return False
    task = step.round.task
    step.satisfy(by=SatisfiedBy.AUTOMATIC, giver=None, digest=step.round.plan_digest)
    step.save()
    record(
        action="approval.approved",
        actor=ACTOR,
        institution=task.institution,
        subject=step,
        task_id=task.task_id,
        order=step.order,
        role=step.role,
        plan_digest=step.digest_seen,
        satisfied_by=step.satisfied_by,
        checks=step.findings,
    )
    return True
