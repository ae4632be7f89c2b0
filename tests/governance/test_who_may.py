"""State × act × role, written by hand: who moves a task from where. Everything else is refused and changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from accounts.choices import Role
from accounts.models import User
from governance.choices import Decision, ReviewDecision
from governance.models import ApprovalStep, SystemOwner
from governance.services.close_task import close_by_hand, close_not_done
from governance.services.decide_step import decide_step
from governance.services.plan_again import plan_again
from governance.services.release_task import release_task
from governance.services.schedule_task import run_later, set_priority
from governance.services.take_over import take_over
from governance.services.validate_result import validate_result
from governance.services.withdraw_task import withdraw_task
from guardia.common.errors import GuardiaError
from tests.factories import Tenant, make_user, proof_of
from tickets.choices import Priority, TaskStatus
from tickets.models import OpsTask
from tickets.services.resubmit_task import resubmit_task

pytestmark = pytest.mark.django_db
Act = Callable[[User, str], Any]

ACTS: dict[str, Act] = {
    "withdraw": lambda who, task: withdraw_task(actor=who, task_id=task),
    "resubmit": lambda who, task: resubmit_task(actor=who, task_id=task),
    "release": lambda who, task: release_task(actor=who, task_id=task),
    "later": lambda who, task: run_later(actor=who, task_id=task, scheduled_for=None),
    "priority": lambda who, task: set_priority(actor=who, task_id=task, priority=Priority.NORMAL, reason="순서"),
    "accept": lambda who, task: validate_result(actor=who, task_id=task, decision=ReviewDecision.ACCEPT),
    "rework": lambda who, task: validate_result(
        actor=who, task_id=task, decision=ReviewDecision.REWORK, comment="다시"
    ),
    "take over": lambda who, task: take_over(actor=who, task_id=task, reason="직접"),
    "plan again": lambda who, task: plan_again(actor=who, task_id=task, reason="다시"),
    "not done": lambda who, task: close_not_done(actor=who, task_id=task, reason="취소"),
    "close by hand": lambda who, task: close_by_hand(actor=who, task_id=task),
}
#: act → (states, people). `close by hand` needs evidence besides, which nobody has brought here.
MAY: dict[str, tuple[set[str], set[str]]] = {
    "withdraw": ({"REC", "INF", "PAR", "PEN", "APP", "SCH"}, {"requester"}),
    "resubmit": ({"REJ", "WDR"}, {"requester"}),
    "release": ({"APP"}, {"owner", "deputy", "supervisor", "pm"}),
    "later": ({"PAR", "PEN", "APP", "SCH"}, {"pm"}),
    "priority": ({"PAR", "PEN", "APP", "SCH"}, {"pm"}),
    "accept": ({"VAL"}, {"pm"}),
    "rework": ({"VAL"}, {"pm"}),
    "take over": ({"MAN", "ERR", "VAL", "CHG", "HLT"}, {"pm", "operator"}),
    "plan again": ({"ERR", "MAN"}, {"pm"}),
    "not done": ({"ERR", "MAN"}, {"pm"}),
    "close by hand": (set(), set()),
}


class People:
    def __init__(self) -> None:
        self.tenant = tenant = Tenant(servers=1)
        self.all: dict[str, User] = {
            "requester": tenant.site_manager,
            "colleague": make_user(Role.SITE_MANAGER, tenant.institution),
            "owner": tenant.owner,
            "deputy": tenant.deputy,
            "supervisor": tenant.supervisor,
            "other lead": make_user(Role.TEAM_LEAD, tenant.institution),
            "pm": tenant.pm,
            "security": tenant.security,
            "operator": make_user(Role.OPERATOR, tenant.institution),
            "auditor": make_user(Role.AUDITOR, tenant.institution),
            "administrator": make_user(Role.ADMINISTRATOR, tenant.institution),
            "neighbour": Tenant(servers=1).pm,
        }


def succeeds(act: Callable[[], Any]) -> bool:
    """Tried and taken back."""
    with transaction.atomic():
        try:
            act()
        except GuardiaError:
            return False
        finally:
            transaction.set_rollback(True)
    return True


def who_can(people: "People", act: Callable[[User], Any]) -> set[str]:
    return {who for who, person in people.all.items() if succeeds(lambda person=person: act(person))}  # type: ignore[misc]


@pytest.mark.parametrize("name", ACTS)
def test_every_act_by_everybody_in_every_state(name: str) -> None:
    people = People()
    task = people.tenant.file()
    states, who_may = MAY[name]
    done = set()
    for state in TaskStatus.values:
        OpsTask.objects.filter(pk=task.pk).update(status=state, is_held=True)
        for who, person in people.all.items():
            if succeeds(lambda person=person: ACTS[name](person, task.task_id)):  # type: ignore[misc]
                done.add((state, who))
    assert done == {(state, who) for state in states for who in who_may}


STEP_STATES = ["WAITING", "PENDING", "APPROVED", "REJECTED", "VOID", "EXPIRED"]


@pytest.mark.parametrize("given", Decision)
@pytest.mark.parametrize("asked", ["owner", "deputy", "supervisor", "requester"])
def test_a_step_is_decided_by_who_is_asked_while_it_waits_and_by_nobody_else(given: Decision, asked: str) -> None:
    people = People()
    task, plan = people.tenant.planned()
    first = ApprovalStep.objects.get(round__task=task, status="PENDING")
    decided = {"decided_by": people.all["other lead"], "decided_at": first.asked_at, "digest_seen": plan.digest}
    done = set()
    for state in STEP_STATES:
        values: dict[str, Any] = dict.fromkeys(("decided_by", "decided_at"))
        if state in ("APPROVED", "REJECTED"):
            values = decided
        elif state == "EXPIRED":
            values["decided_at"] = first.asked_at
        ApprovalStep.objects.filter(pk=first.pk).update(status=state, approver=people.all[asked], **values)
        for who, person in people.all.items():
            act = {
                "actor": person,
                "step_pk": first.pk,
                "decision": given,
                "digest": plan.digest,
                "channel": "api",
                "comment": "말",
                "proof": proof_of(person),
            }
            if succeeds(lambda act=act: decide_step(**act)):  # type: ignore[misc]
                done.add((state, who))
    assert done == ({("PENDING", asked)} if asked != "requester" else set())
    assert SystemOwner.objects.filter(system=people.tenant.system).exists()
