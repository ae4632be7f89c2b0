"""Which acts on a run a page offers to whom. What is really allowed, the services say."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import User
from execution.choices import HeldFor, HostStatus, RollbackScope, RunStatus
from execution.models import HostRun, Run
from governance.selectors import may_work_by_hand
from tickets.choices import TaskStatus
from tickets.models import OpsTask

_LISTED = 200
_RETRIED_FROM = {
    RunStatus.SUCCEEDED: TaskStatus.PENDING_VALIDATION,
    RunStatus.ROLLED_BACK: TaskStatus.FAILED,
    RunStatus.ABORTED: TaskStatus.FAILED,
}


@dataclass(frozen=True, slots=True)
class Steering:
    """`resume` names what is resumed (PAUSE, GATE), or is empty; `skip` and `retry` name the hosts they are for."""

    resume: str
    pause: bool
    abort: bool
    skip: list[str]
    retry: list[str]
    scopes: Sequence[tuple[str, object]] = tuple(RollbackScope.choices)


def steering_of(user: User, task: OpsTask, run: Run, hosts: Sequence[HostRun]) -> Steering | None:
    """None where there is nothing to be done, or not by this user."""
    is_going = run.status == RunStatus.RUNNING and run.aborted_by_id is None
    has_ended = _RETRIED_FROM.get(RunStatus(run.status)) == task.status and task.closed_at is None
    if not (is_going or has_ended) or not may_work_by_hand(user, task):
        return None
    failed = [
        host.server.hostname
        for host in hosts
        if host.status in (HostStatus.FAILED, HostStatus.UNDONE) and host.error_code
    ]
    waiting = [host.server.hostname for host in hosts if host.status == HostStatus.PENDING]
    is_gate = run.held_for == HeldFor.GATE and user.pk != task.requester_id
    found = Steering(
        resume=run.held_for if is_going and (is_gate or run.held_for == HeldFor.PAUSE) else "",
        pause=is_going and run.held_for != HeldFor.PAUSE,
        abort=is_going,
        skip=(failed + waiting)[:_LISTED] if is_going else [],
        retry=failed[:_LISTED] if has_ended or run.held_for else [],
    )
    return found if found.resume or found.pause or found.abort or found.retry else None
