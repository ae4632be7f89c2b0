"""Governance's panels on a task's page: the approvals, the requester's acts, the change, work by hand, the result."""

from typing import Any

from django.utils import timezone
from django_fsm import can_proceed

from accounts.choices import Role
from accounts.identity import remembered_proof
from accounts.scope import holds_role
from accounts.services.second_factor import is_enrolled
from governance.choices import TAKEABLE, RoundStatus, StepStatus
from governance.diff import read_diff
from governance.ladder import Roster
from governance.models import ApprovalStep
from governance.selectors import (
    change_reviews_of,
    manual_records_of,
    may_accept_work,
    may_validate,
    may_work_by_hand,
    needs_change,
    needs_proof,
    steps_of,
    voided_among,
)
from governance.services.release_task import who_may_release
from tickets.choices import TaskStatus
from tickets.panels import TaskPage, register_panel

_SERVERS_OFFERED = 200


def register() -> None:
    register_panel(order=20, template="governance/partials/approvals_panel.html", context=approvals)
    register_panel(order=25, template="governance/partials/change_panel.html", context=change)
    register_panel(order=35, template="governance/partials/manual_panel.html", context=manual)
    register_panel(order=25, template="governance/partials/held_panel.html", context=held)
    register_panel(order=15, template="governance/partials/requester_panel.html", context=requester_acts)
    register_panel(order=40, template="governance/partials/validation_panel.html", context=validation)


def approvals(page: TaskPage) -> dict[str, Any] | None:
    """Every step of every round; the one whose turn it is says until when and who comes next, and carries the forms
    for the person who is asked and, where something was asked of them, for the requester."""
    steps = page.once(steps_of) if page.has("rounds") else []
    if not steps:
        return None
    pending = next((step for step in steps if step.status == StepStatus.PENDING), None)
    context: dict[str, Any] = {
        "steps": steps,
        "digest": steps[0].round.plan_digest,
        "was_voided": voided_among(steps) is not None,
    }
    if pending is not None:
        context.update(_whose_turn(page, pending, steps))
    return context


def _whose_turn(page: TaskPage, pending: ApprovalStep, steps: list[ApprovalStep]) -> dict[str, Any]:
    """The open question to the requester, who is asked after the present one, and the form of who is asked now."""
    task, user = page.task, page.user
    questions = pending.questions.all() if pending.was_asked else ()  # type: ignore[attr-defined]  # annotated
    question = next((row for row in questions if row.answered_at is None), None)
    decided = {step.decided_by_id for step in steps if step.round_id == pending.round_id}
    barred = {pk for pk in (*task.author_ids, pending.approver_id, *decided) if pk is not None}
    roster = Roster.load(task.institution_id)
    original = pending.original_owner_id or 0
    context: dict[str, Any] = {
        "question": question,
        "may_answer": question is not None and task.requester_id == user.pk,
        "next": roster.reachable(
            pending.role,
            task.system_id,
            original_id=original,
            barred={*barred, original},
            above=pending.escalation_level,
        ),
    }
    if pending.approver_id == user.pk:
        is_asked_again = needs_proof(task) or pending.needs_reauthentication
        asks_proof = is_asked_again and remembered_proof(page.request) is None
        context |= {
            "mine": pending,
            "others": roster.others(pending.role, task.system_id, barred),
            "asks_proof": asks_proof,
            "is_enrolled": asks_proof and is_enrolled(user),
        }
    return context


def change(page: TaskPage) -> dict[str, Any] | None:
    """The newest revision of a prepared change as a diff, the PM's form while it waits, and the earlier revisions."""
    task = page.task
    revisions = change_reviews_of(task) if page.has("change_reviews") else []
    if not revisions and task.status != TaskStatus.PREPARING_CHANGE:
        return None
    newest = revisions[0] if revisions else None
    waits = newest is not None and not newest.decision and task.status == TaskStatus.PENDING_REVIEW
    return {
        "newest": newest,
        "files": read_diff(newest.newest_diff) if newest is not None else [],  # type: ignore[attr-defined]  # annotated
        "earlier": revisions[1:],
        "waits": waits,
        "may_review": waits and may_validate(page.user, task),
        "is_preparing": task.status == TaskStatus.PREPARING_CHANGE,
    }


def held(page: TaskPage) -> dict[str, Any] | None:
    """An approved task that waits for the time it was asked for, and the button of those who may start it."""
    task = page.task
    if task.status != TaskStatus.APPROVED or not task.is_held:
        return None
    people = who_may_release(task)
    return {"when": task.params.get("when", ""), "may_start": page.user in people, "people": people[:5]}


def requester_acts(page: TaskPage) -> dict[str, Any] | None:
    """What the requester may do with the task now: take it back, or file it again."""
    task = page.task
    may_withdraw, may_resubmit = can_proceed(task.withdraw), can_proceed(task.resubmit)
    if task.requester_id != page.user.pk or not (may_withdraw or may_resubmit):
        return None
    return {"may_withdraw": may_withdraw, "may_resubmit": may_resubmit}


def validation(page: TaskPage) -> dict[str, Any] | None:
    """The PM's form while the result waits, and the reviews so far."""
    task = page.task
    reviews = list(task.result_reviews.select_related("reviewer")) if page.has("result_reviews") else []
    waits = task.status == TaskStatus.PENDING_VALIDATION
    if not reviews and not waits:
        return None
    return {
        "reviews": reviews,
        "waits": waits,
        "may_validate": waits and may_validate(page.user, task),
        "needs_change": needs_change(task),
    }


def _may_have_run(page: TaskPage) -> bool:
    """Whether the task was ever approved, so that servers may have been touched."""
    steps = page.once(steps_of) if page.has("rounds") else []
    return any(step.round.status in (RoundStatus.APPROVED, RoundStatus.VOID) for step in steps)


def manual(page: TaskPage) -> dict[str, Any] | None:
    """Work by hand: who has the task, what they recorded, and the forms for the one who may go on from here."""
    task, user = page.task, page.user
    records = manual_records_of(task) if page.has("manual_records") else []
    takeovers = list(task.takeovers.select_related("person")) if page.has("takeovers") else []
    is_stuck = task.status in (TaskStatus.MANUAL, TaskStatus.FAILED) and task.closed_at is None
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
        "may_close": is_manual and may_accept_work(user, task, records, takeovers),
        "may_plan": is_pm,
        "may_drop": is_pm and not (is_manual and _may_have_run(page)),
        "servers": page.hosts[:_SERVERS_OFFERED] if holder == user else [],
        "now": timezone.localtime().strftime("%Y-%m-%dT%H:%M"),
    }
