"""State × act × role of a run: who resumes, takes back, closes and stops it, and from where."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from execution.choices import HaltScope, RunStatus
from execution.halts.press import halt
from execution.models import Run
from execution.rollout.after_halt import close_halted, resume_halted, roll_back_halted
from execution.rollout.resume_run import resume_run
from execution.rollout.start_run import start_run
from guardia.common.clock import now
from tests.governance.test_who_may import People, who_can
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db

#: run → the state of its task
STATES = {
    "RUNNING": "EXE",
    "ROLLING_BACK": "EXE",
    "HALTED": "HLT",
    "SUCCEEDED": "VAL",
    "ROLLED_BACK": "ERR",
    "MANUAL": "MAN",
    "ABORTED": "ERR",
}
LIVING = {"RUNNING", "ROLLING_BACK"}
HALTERS = {"pm", "security", "operator", "administrator"}
ACTS: dict[str, Callable[[User, str], Any]] = {
    "resume held": lambda who, task: resume_run(actor=who, task_id=task, reason="계속"),
    "resume halted": lambda who, task: resume_halted(actor=who, task_id=task, reason="계속"),
    "roll back": lambda who, task: roll_back_halted(actor=who, task_id=task, reason="되돌림"),
    "close": lambda who, task: close_halted(actor=who, task_id=task, reason="종료"),
    "halt": lambda who, task: halt(actor=who, scope=HaltScope.RUN, task_id=task, reason="정지"),
}
#: act → (states, people). No host was touched here, so there is nothing to roll back.
MAY: dict[str, tuple[set[str], set[str]]] = {
    "resume held": ({"RUNNING"}, {"pm"}),
    "resume halted": ({"HALTED"}, {"pm"}),
    "roll back": (set(), set()),
    "close": ({"HALTED"}, {"pm"}),
    "halt": (LIVING, HALTERS),
}


@pytest.mark.parametrize("name", ACTS)
def test_every_act_on_a_run_by_everybody_in_every_state(name: str) -> None:
    people = People()
    task, _plan = people.tenant.approved()
    run = start_run(task.pk)
    assert run is not None
    assert set(STATES) == set(RunStatus.values)
    done = set()
    for state, task_state in STATES.items():
        is_over = state not in LIVING | {"HALTED"}
        held = {"held_at": now(), "held_because": "변경 시간이 끝남"} if state == "RUNNING" else {"held_at": None}
        Run.objects.filter(pk=run.pk).update(status=state, finished_at=now() if is_over else None, **held)
        OpsTask.objects.filter(pk=task.pk).update(status=task_state)
        done |= {(state, who) for who in who_can(people, lambda who: ACTS[name](who, task.task_id))}
    states, who_may = MAY[name]
    assert done == {(state, who) for state in states for who in who_may}
