from django.utils.translation import gettext as _

from accounts.models import User
from governance.exceptions import NobodyToAsk
from governance.ladder import Roster
from governance.models import ApprovalRound, ApprovalStep
from governance.selectors import living_round, policy_for
from governance.services.ask_next_step import ask_next_step
from guardia.common.errors import StaleState
from tickets.models import OpsTask
from tickets.services.transition_task import transition_task


def request_approval(*, task: OpsTask, plan_digest: str, actor: User | str, reason: str = "") -> ApprovalRound:
    """Open a round for a locked task and its plan, and ask the first step's person.

    Each step gets another person; raises NobodyToAsk where the policy can't be met by people other than the
    requester. The caller owns the transaction.
    """
    if living_round(task) is not None:
        raise StaleState
    policy = policy_for(task)
    round_ = ApprovalRound.objects.create(
        task=task, number=task.rounds.count() + 1, policy=policy.name, plan_digest=plan_digest
    )
    roster = Roster.load(task.institution_id)
    taken: set[int] = set()
    for policy_step in policy.steps.all():
        rung = roster.first(policy_step.role, task.system_id, {task.requester_id, *taken})
        if rung is None:
            raise NobodyToAsk(
                _("Nobody can be asked as %(role)s for %(system)s.")
                % {"role": policy_step.get_role_display(), "system": task.system}
            )
        taken.add(rung.person.pk)
        ApprovalStep.objects.create(
            round=round_,
            order=policy_step.order,
            role=policy_step.role,
            requester=task.requester,
            original_owner=rung.person,
            approver=rung.person,
            escalation_level=rung.level,
        )
    transition_task(task=task, by="submit", actor=actor, reason=reason, plan_digest=plan_digest, policy=policy.name)
    ask_next_step(round_)
    return round_
