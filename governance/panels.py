"""Governance's panels on a task's page: the approvals, the requester's acts, the change, work by hand, the result."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django_fsm import can_proceed

from accounts.caller import caller
from accounts.choices import Role
from accounts.identity import remembered_proof
from accounts.scope import holds_role
from accounts.services.second_factor import is_enrolled
from governance.choices import TAKEABLE, StepStatus
from governance.diff import read_diff
from governance.ladder import Roster
from governance.models import ApprovalStep
from governance.selectors import (
    may_accept_work,
    may_have_run,
    may_validate,
    may_work_by_hand,
    needs_change,
    needs_proof,
    voided_digests,
)
from governance.services.release_task import who_may_release
from tickets.choices import TaskStatus
from tickets.models import OpsTask
from tickets.panels import register_panel

_SERVERS_OFFERED = 200


def register() -> None:
    register_panel(order=20, template="governance/partials/approvals_panel.html", context=approvals)
    register_panel(order=25, template="governance/partials/change_panel.html", context=change)
    register_panel(order=35, template="governance/partials/manual_panel.html", context=manual)
    register_panel(order=25, template="governance/partials/held_panel.html", context=held)
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
    context: dict[str, Any] = {
        "steps": steps,
        "digest": steps[0].round.plan_digest,
        "was_voided": voided_digests(task) is not None,
    }
    if pending is not None:
        context.update(_whose_turn(request, task, pending, steps))
    return context


def _whose_turn(
    request: HttpRequest, task: OpsTask, pending: ApprovalStep, steps: list[ApprovalStep]
) -> dict[str, Any]:
    """The open question to the requester, who is asked after the present one, and the form of who is asked now."""
    question = next((row for row in pending.questions.all() if row.answered_at is None), None)
    decided = {step.decided_by_id for step in steps if step.round_id == pending.round_id}
    barred = {pk for pk in (task.requester_id, pending.approver_id, *decided) if pk is not None}
    roster = Roster.load(task.institution_id)
    original = pending.original_owner_id or 0
    context: dict[str, Any] = {
        "question": question,
        "may_answer": question is not None and task.requester_id == request.user.pk,
        "next": roster.reachable(
            pending.role,
            task.system_id,
            original_id=original,
            barred={*barred, original},
            above=pending.escalation_level,
        ),
    }
    if pending.approver_id == request.user.pk:
        is_asked_again = needs_proof(task) or pending.needs_reauthentication
        asks_proof = is_asked_again and remembered_proof(request) is None
        context |= {
            "mine": pending,
            "others": roster.others(pending.role, task.system_id, barred),
            "asks_proof": asks_proof,
            "is_enrolled": asks_proof and is_enrolled(caller(request)),
        }
    return context


def change(request: HttpRequest, task: OpsTask) -> dict[str, Any] | None:
    """The newest revision of a prepared change as a diff, the PM's form while it waits, and the earlier revisions."""
    revisions = list(task.change_reviews.select_related("reviewer").defer("context", "diff").order_by("-revision"))
    if not revisions and task.status != TaskStatus.PREPARING_CHANGE:
        return None
    newest = revisions[0] if revisions else None
    waits = newest is not None and not newest.decision and task.status == TaskStatus.PENDING_REVIEW
    return {
        "newest": newest,
        "files": read_diff(newest.diff) if newest is not None else [],
        "earlier": revisions[1:],
        "waits": waits,
        "may_review": waits and may_validate(caller(request), task),
        "is_preparing": task.status == TaskStatus.PREPARING_CHANGE,
    }


def held(request: HttpRequest, task: OpsTask) -> dict[str, Any] | None:
    """An approved task that waits for the time it was asked for, and the button of those who may start it."""
    if task.status != TaskStatus.APPROVED or not task.is_held:
        return None
    people = who_may_release(task)
    return {"when": task.params.get("when", ""), "may_start": caller(request) in people, "people": people[:5]}


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
    return {
        "reviews": reviews,
        "waits": waits,
        "may_validate": waits and may_validate(caller(request), task),
        "needs_change": needs_change(task),
    }


def manual(request: HttpRequest, task: OpsTask) -> dict[str, Any] | None:
    """Work by hand: who has the task, what they recorded, and the forms for the one who may go on from here."""
    records = list(task.manual_records.select_related("author").prefetch_related("servers", "evidence"))
    takeovers = list(task.takeovers.select_related("person"))
    is_stuck = task.status in (TaskStatus.MANUAL, TaskStatus.FAILED) and task.closed_at is None
    user = caller(request)
    may_take = may_work_by_hand(user, task) and task.status in TAKEABLE and task.closed_at is None
    if not records and not takeovers and not is_stuck and not may_take:
        return None
    is_manual = task.status == TaskStatus.MANUAL
    holder = takeovers[0].person if takeovers and is_manual else None
    is_pm = is_stuck and holds_role(user, Role.PM, task.institution_id)
    return {
        "records": records,
        "takeovers": takeovers,
        "holder": holder,
        "is_stuck": is_stuck,
        "may_take": may_take and holder != user,
        "may_record": holder == user and may_take,
        "may_close": is_manual and may_accept_work(user, task),
        "may_plan": is_pm,
        "may_drop": is_pm and not (is_manual and may_have_run(task)),
        "servers": list(task.servers.order_by("hostname")[:_SERVERS_OFFERED]) if holder == user else [],
        "now": timezone.localtime().strftime("%Y-%m-%dT%H:%M"),
    }
