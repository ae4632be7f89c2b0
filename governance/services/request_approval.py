from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from governance.choices import StepRole
from governance.exceptions import NobodyToAsk
from governance.ladder import Roster
from governance.models import ApprovalRound, ApprovalStep, PolicyStep
from governance.rules import Question, may_do_without_people, questions_of
from governance.selectors import living_round, policy_for, strictest_tier
from governance.services.approve_round import approve_round
from governance.services.ask_next_step import ask_next_step
from governance.services.security_check import Finding, is_clean, look_at, needs_an_officer
from guardia.common.errors import StaleState
from tickets.models import OpsTask
from tickets.services.transition_task import transition_task


def request_approval(
    *,
    task: OpsTask,
    plan_digest: str,
    actor: User | str,
    reason: str = "",
    content: Mapping[str, Any] | None = None,
) -> ApprovalRound:
    """Open a round for a locked task and its plan, and ask the first step's person.

    `content` is the plan's, for the automatic security check; without it the check fails and people are asked. Each
    step gets another person; raises NobodyToAsk where the policy can't be met by people other than the requester.
    The caller owns the transaction. Where the policy needs nobody (test sites), the task is approved at once.
    """
    if living_round(task) is not None:
        raise StaleState
    policy = policy_for(task)
    steps = _with_officer(list(policy.steps.all()), content)
    _check_people(task, steps)
    findings = look_at(content, is_dangerous=task.is_dangerous) if any(step.is_automatic for step in steps) else []
    roster = Roster.load(task.institution_id)
    eligible = lru_cache(lambda role: roster.eligible(role, task.system_id, task.author_ids))
    questions = questions_of(steps, eligible, is_check_failed=not is_clean(findings))
    round_ = ApprovalRound.objects.create(
        task=task, number=task.rounds.count() + 1, policy=policy.name, plan_digest=plan_digest
    )
    for question in questions:
        _create(round_, question, findings)
    transition_task(task=task, by="submit", actor=actor, reason=reason, plan_digest=plan_digest, policy=policy.name)
    if ask_next_step(round_) is None:
        approve_round(round_=round_, task=task, actor="guardia")
    return round_


def _with_officer(steps: list[PolicyStep], content: Mapping[str, Any] | None) -> list[PolicyStep]:
    """Commands that the command check doesn't let through are one more approval, by a security officer in person."""
    asked = any(step.role == StepRole.SECURITY_OFFICER for step in steps)
    if asked or not needs_an_officer(content):
        return steps
    order = max((step.order for step in steps), default=0) + 1
    return [*steps, PolicyStep(order=order, role=StepRole.SECURITY_OFFICER, needs_reauthentication=True)]


def _check_people(task: OpsTask, steps: list[PolicyStep]) -> None:
    """A policy without people is for test sites alone, whatever it says."""
    if all(step.is_automatic for step in steps) and not may_do_without_people(strictest_tier(task)):
        raise NobodyToAsk(_("The policy asks nobody, which is for test sites only. An administrator can change it."))


def _create(round_: ApprovalRound, question: Question, findings: list[Finding]) -> ApprovalStep:
    task, step = round_.task, question.step
    if question.person is None and not step.is_automatic:
        raise NobodyToAsk(
            _("Nobody can be asked as %(role)s for %(system)s.")
            % {"role": step.get_role_display(), "system": task.system}
        )
    if step.is_automatic and question.person is None and not is_clean(findings):
        raise NobodyToAsk(_("The automatic security check found something, and there is no security officer to ask."))
    return ApprovalStep.objects.create(
        round=round_,
        order=question.order,
        role=step.role,
        requester=task.requester,
        original_owner=question.person,
        approver=question.person,
        needs_reauthentication=step.needs_reauthentication,
        is_automatic=step.is_automatic,
        findings=findings if step.is_automatic else [],
    )
