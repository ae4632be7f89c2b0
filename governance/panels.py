"""Governance's panels on a task's page: the approvals, and the validation of the result."""

from typing import Any

from django.http import HttpRequest

from accounts.caller import caller
from governance.choices import StepStatus
from governance.models import ApprovalStep
from governance.selectors import may_validate
from governance.services.release_task import who_may_release
from tickets.choices import TaskStatus
from tickets.models import OpsTask
from tickets.panels import register_panel


def register() -> None:
    register_panel(order=20, template="governance/partials/approvals_panel.html", context=approvals)
    register_panel(order=25, template="governance/partials/held_panel.html", context=held)
    register_panel(order=40, template="governance/partials/validation_panel.html", context=validation)


def approvals(request: HttpRequest, task: OpsTask) -> dict[str, Any] | None:
    """Every step of every round; the one whose turn it is carries the form for the person who is asked."""
    steps = list(
        ApprovalStep.objects.filter(round__task=task)
        .select_related("round", "original_owner", "approver", "decided_by")
        .order_by("-round__number", "order")
    )
    if not steps:
        return None
    mine = next((s for s in steps if s.status == StepStatus.PENDING and s.approver_id == request.user.pk), None)
    return {"steps": steps, "mine": mine, "digest": steps[0].round.plan_digest}


def held(request: HttpRequest, task: OpsTask) -> dict[str, Any] | None:
    """An approved task that waits for the time it was asked for, and the button of those who may start it."""
    if task.status != TaskStatus.APPROVED or not task.is_held:
        return None
    people = who_may_release(task)
    return {"when": task.params.get("when", ""), "may_start": caller(request) in people, "people": people[:5]}


def validation(request: HttpRequest, task: OpsTask) -> dict[str, Any] | None:
    """The PM's form while the result waits, and the reviews so far."""
    reviews = list(task.result_reviews.select_related("reviewer"))
    waits = task.status == TaskStatus.PENDING_VALIDATION
    if not reviews and not waits:
        return None
    return {"reviews": reviews, "waits": waits, "may_validate": waits and may_validate(caller(request), task)}
