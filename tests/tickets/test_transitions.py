"""The life of a task: state × transition, through the one service that changes it."""

import pytest

from audit.models import Entry
from tests.factories import make_institution, make_user
from tests.fsm import Table, assert_protected, assert_states
from tests.snapshot import nothing_changes
from tickets.choices import Channel, TaskStatus
from tickets.exceptions import NotInThatState
from tickets.locks import lock_task
from tickets.models import OpsTask
from tickets.services.transition_task import transition_task

WAYS: Table = {
    "mark_parsed": ({"REC", "INF"}, "PAR"),
    "ask_for_information": ({"REC", "INF"}, "INF"),
    "submit": ({"PAR", "APP", "SCH"}, "PEN"),
    "approve": ({"PEN"}, "APP"),
    "reject": ({"PEN"}, "REJ"),
    "schedule": ({"APP"}, "SCH"),
    "start": ({"APP", "SCH"}, "EXE"),
    "finish": ({"EXE"}, "VAL"),
    "fail": ({"EXE"}, "ERR"),
    "hand_over": ({"PAR", "APP", "SCH", "EXE", "VAL", "ERR", "CHG", "REV", "HLT"}, "MAN"),
    "halt": ({"EXE"}, "HLT"),
    "go_on": ({"HLT"}, "EXE"),
    "retry": ({"VAL", "ERR"}, "EXE"),
    "close_halted": ({"HLT"}, "ERR"),
    "complete": ({"VAL"}, "COM"),
    "plan_again": ({"VAL", "ERR", "MAN"}, "PAR"),
    "prepare_change": ({"APP", "VAL", "REV"}, "CHG"),
    "submit_change": ({"CHG"}, "REV"),
    "accept_change": ({"REV"}, "APP"),
    "close_by_hand": ({"MAN"}, "COM"),
    "close_not_done": ({"ERR"}, "ERR"),
    "drop": ({"MAN"}, "REJ"),
    "withdraw": ({"REC", "INF", "PAR", "PEN", "APP", "SCH"}, "WDR"),
    "resubmit": ({"REJ", "WDR"}, "REC"),
}
#: What the chain calls it: the past tense.
TOLD = {
    "mark_parsed": "parsed",
    "ask_for_information": "information_requested",
    "submit": "submitted",
    "approve": "approved",
    "reject": "rejected",
    "schedule": "scheduled",
    "start": "started",
    "finish": "finished",
    "fail": "failed",
    "hand_over": "handed_over",
    "halt": "halted",
    "go_on": "went_on",
    "retry": "retried",
    "close_halted": "closed_not_done",
    "complete": "completed",
    "plan_again": "sent_back_to_planning",
    "prepare_change": "change_wanted",
    "submit_change": "change_submitted",
    "accept_change": "change_accepted",
    "close_by_hand": "closed_by_hand",
    "close_not_done": "closed_not_done",
    "drop": "dropped",
    "withdraw": "withdrawn",
    "resubmit": "resubmitted",
}
WITH_REASON = {
    "submit", "schedule", "reject", "fail", "hand_over", "complete", "plan_again", "prepare_change", "close_by_hand",
    "close_not_done", "drop", "withdraw", "halt", "go_on", "retry", "close_halted",
}  # fmt: skip
CLOSING = {"reject", "close_halted", "complete", "close_by_hand", "close_not_done", "drop", "withdraw"}


def task_in(status: str) -> OpsTask:
    institution, requester = make_institution(), make_user()
    task = OpsTask.objects.create(
        task_id=f"OPS-20260101-{requester.pk}",
        institution=institution,
        requester=requester,
        channel=Channel.API,
        text="재기동해 주세요",
        status=status,
        reason="before",
    )
    return lock_task(task.pk)


def test_the_model_allows_exactly_the_table() -> None:
    calls = {name: {"reason": "why"} for name in WITH_REASON}
    assert_states(OpsTask, WAYS, TaskStatus.values, calls)


def test_the_status_cannot_be_assigned() -> None:
    assert_protected(OpsTask, "PEN")


@pytest.mark.django_db
@pytest.mark.parametrize("way", WAYS)
def test_an_allowed_way_is_saved_with_one_entry(way: str) -> None:
    sources, target = WAYS[way]
    reason = "because" if way in WITH_REASON else ""
    for source in sorted(sources):
        task = task_in(source)
        transition_task(task=task, by=way, actor="test", reason=reason, servers=["a"])
        saved = OpsTask.objects.get(pk=task.pk)
        assert (saved.status, saved.reason) == (target, reason)
        assert (saved.closed_at is not None) == (way in CLOSING)
        entry = Entry.objects.get(task_id=task.task_id)
        assert entry.action == f"task.{TOLD[way]}"
        assert f'"from":"{source}"' in entry.body and f'"to":"{target}"' in entry.body


@pytest.mark.django_db
@pytest.mark.parametrize("way", WAYS)
def test_any_other_way_is_refused_and_changes_nothing(way: str) -> None:
    tasks = [task_in(status) for status in TaskStatus.values if status not in WAYS[way][0]]
    assert len(tasks) == len(TaskStatus) - len(WAYS[way][0])
    with nothing_changes():
        for task in tasks:
            before = task.status
            with pytest.raises(NotInThatState) as refused:
                transition_task(task=task, by=way, actor="test", reason="why" if way in WITH_REASON else "")
            assert refused.value.http_status == 409
            assert refused.value.details == {"current": before}
            assert (task.status, task.reason) == (before, "before"), "not even in memory"


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["plan_again", "retry", "hand_over", "close_not_done"])
def test_a_failure_that_was_closed_stays_closed(way: str) -> None:
    task = task_in("ERR")
    transition_task(task=task, by="close_not_done", actor="test", reason="no longer needed")
    with nothing_changes(), pytest.raises(NotInThatState):
        transition_task(task=task, by=way, actor="test", reason="after all")


@pytest.mark.django_db
def test_what_python_forgets_the_database_refuses() -> None:
    from django.db import IntegrityError, transaction

    task = task_in("REC")
    for column, value in (("status", "XXX"), ("risk", 9), ("priority", 6)):
        with pytest.raises(IntegrityError), transaction.atomic():
            OpsTask.objects.filter(pk=task.pk).update(**{column: value})
