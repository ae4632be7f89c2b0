from audit.services import record
from governance.choices import SatisfiedBy
from governance.models import ApprovalStep, StandingApproval
from governance.services.security_check import is_clean
from governance.services.standing_approvals import standing_for

ACTOR = "guardia"


def satisfy_step(step: ApprovalStep) -> bool:
    """Approve a locked, waiting step whose turn it is without asking anybody, where the policy allows it.

    The automatic check was made on the plan when the round was opened; its plan can't have changed since. True when
    the step is approved; the caller asks its person otherwise.
    """
    digest = step.round.plan_digest
    if step.is_automatic:
        if step.approver_id is not None or not is_clean(step.findings):
            return False
        step.satisfy(by=SatisfiedBy.AUTOMATIC, digest=digest)
    elif standing := standing_for(step):
        step.satisfy(by=SatisfiedBy.STANDING, digest=digest, standing=standing)
    else:
        return False
    step.save()
    _tell(step, step.standing_approval)
    return True


def _tell(step: ApprovalStep, standing: StandingApproval | None) -> None:
    task = step.round.task
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
        standing_approval=standing.pk if standing else None,
        given_by=standing.giver.get_username() if standing else "",
    )
