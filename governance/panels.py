"""Governance's panels on a task's page: the approvals, the requester's acts, and the validation of the result."""

from typing import Any

from django.http import HttpRequest
from django_fsm import can_proceed

from accounts.caller import caller
from governance.choices import StepStatus
from governance.ladder import Roster
from governance.models import ApprovalStep
from governance.selectors import may_validate
from tickets.choices import TaskStatus
from tickets.models import OpsTask
from tickets.panels import register_panel


def register() -> None:
    register_panel(order=20, template="governance/partials/approvals_panel.html", context=approvals)
    register_panel(order=15, template="governance/partials/requester_panel.html", context=requester_acts)
    register_panel(order=40, template="governance/partials/validation_panel.html", context=validation)


def approvals(request: HttpRequest, task: OpsTask) -> dict[str, Any] | None:
    """Every step of every round; the one whose turn it is says until when and who comes next, and carries the forms
    for the person who is asked and, where something was asked of them, for the requester."""
    steps = list(
        ApprovalStep.objects.filter(round__task=task)
        .select_related("round", "original_owner", "approver", "decided_by")
        .prefetch_related("questions__asker")
        .order_by("-round__number", "order")
    )
    if not steps:
        return None
    pending = next((step for step in steps if step.status == StepStatus.PENDING), None)
    context: dict[str, Any] = {"steps": steps, "digest": steps[0].round.plan_digest}
    if pending is None:
        return context
    context["question"] = next((row for row in pending.questions.all() if row.answered_at is None), None)
    context["may_answer"] = context["question"] is not None and task.requester_id == request.user.pk
    decided = {step.decided_by_id for step in steps if step.round_id == pending.round_id}
    barred = {pk for pk in (task.requester_id, pending.approver_id, *decided) if pk is not None}
    roster = Roster.load(task.institution_id)
    context["next"] = roster.reachable(
        pending.role,
        task.system_id,
        original_id=pending.original_owner_id,
        barred={*barred, pending.original_owner_id},
        above=pending.escalation_level,
    )
    if pending.approver_id == request.user.pk:
        context["mine"] = pending
        context["others"] = roster.others(pending.role, task.system_id, barred)
    return context


def requester_acts(request: HttpRequest, task: OpsTask) -> dict[str, Any] | None:
    """What the requester may do with the task now: take it back, or file it again."""
    may_withdraw, may_resubmit = can_proceed(task.withdraw), can_proceed(task.resubmit)
    if task.requester_id != request.user.pk or not (may_withdraw or may_resubmit):
        return None
    return {"may_withdraw": may_withdraw, "may_resubmit": may_resubmit}


def validation(request: HttpRequest, task: OpsTask) -> dict[str, Any] | None:
    """The PM's form while the result waits, and the reviews so far."""
    reviews = list(task.result_reviews.select_related("reviewer"))
    waits = task.status == TaskStatus.PENDING_VALIDATION
    if not reviews and not waits:
        return None
    return {"reviews": reviews, "waits": waits, "may_validate": waits and may_validate(caller(request), task)}
