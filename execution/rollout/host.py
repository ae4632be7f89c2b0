"""One host of a run, from where its rows say it stands: apply the steps, or undo them.

A step whose outcome is unknown (the worker died, the line broke) is probed before anything else: it holds → go on;
it doesn't and may be repeated → try again; otherwise the host is UNCERTAIN and people are told. Nothing is blindly
repeated.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import DatabaseError
from django.utils.translation import gettext as _

from execution.choices import HALTED_CODE, Phase, StepStatus
from execution.exceptions import ClaimLost, Halted, StepFailed
from execution.gate.brake import Brake
from execution.gate.session import HostSession, Outcome, open_session
from execution.models import HostRun, Run, StepResult
from execution.rollout.core_logs import fetch_core_logs, keep_core_logs
from execution.rollout.ledger import Ledger
from execution.rollout.story import HostStory
from execution.rollout.where import SETTLED_STEPS, halted_where, has_open_change
from execution.ssh.exceptions import Cancelled, SshError
from execution.steps.ops import Op, Step
from execution.steps.saving import missing, was_idle
from execution.steps.undo import recheck_ops, undo_order
from guardia.common.errors import GuardiaError

logger = logging.getLogger(__name__)
_ATTEMPTS = 2
_LOST = "worker_lost"
#: Error codes of attempts that others ended; they say nothing about the step.
_INTERRUPTED = (_LOST, HALTED_CODE)


class OutcomeUnknown(Exception):
    """A changing step's outcome can't be found out; the host goes to people."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(message)


def _code_of(error: SshError) -> str:
    return HALTED_CODE if isinstance(error, Cancelled) else error.code


class HostWorker:
    """Carries on with one claimed host run, on one connection, until it is settled."""

    def __init__(
        self,
        host_run: HostRun,
        run: Run,
        spec: Mapping[str, Any],
        claim: str,
        cancel: threading.Event,
        brake: Brake | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.host_run, self.spec, self.claim, self.cancel = host_run, spec, claim, cancel
        self.brake, self.ledger = brake or Brake(cancel), ledger or Ledger(run, claim)
        self.phase = Phase(host_run.phase)
        self.steps: Sequence[Step] = spec["steps"]
        self.story = HostStory(host_run, self.phase, self.steps, self.ledger)

    def carry_on(self) -> None:
        """Ends with the host settled, or with the claim lost to another worker (then nothing is written)."""
        try:
            self._carry_on()
        except ClaimLost:
            logger.warning("host run %s is carried on by another worker", self.host_run.pk)

    def _carry_on(self) -> None:
        work, fail, finish = self._ways()
        about = self.host_run, self.spec, self.claim, self.cancel
        try:
            with open_session(*about, self.brake, self.ledger.admit) as session:
                self._worked(work, session)
        except ClaimLost:
            raise
        except OutcomeUnknown as unknown:
            self.story.settle("lose", unknown.code, unknown.message)
        except (Halted, Cancelled):
            self._stop()
        except GuardiaError as error:
            if self.story.has_open_step():
                self.story.settle("lose", error.code, str(error))
            else:
                self.story.settle(fail, error.code, str(error))
        else:
            self.story.settle(finish)

    def _worked(self, work: Callable[[HostSession], None], session: HostSession) -> None:
        """Where it fails, the host's logs are kept before the line is closed."""
        try:
            work(session)
        except (ClaimLost, Halted, Cancelled):
            raise
        except (GuardiaError, OutcomeUnknown):
            try:
                logs = fetch_core_logs(session, self.spec.get("logs", ()))
                self.story.read(lambda: keep_core_logs(self.host_run, self.claim, self.phase, logs))
            except (GuardiaError, DatabaseError):
                logger.exception("host run %s: its logs could not be kept", self.host_run.pk)
            raise

    def _ways(self) -> tuple[Callable[[HostSession], None], str, str]:
        """What is to be done, and by which transitions it fails and ends."""
        if self.phase == Phase.APPLY:
            return self._apply, "fail", "finish"
        if self.phase == Phase.CHECK:
            return self._check, "fail", "end_check"
        return self._undo, "fail_undo", "finish_undo"

    def _apply(self, session: HostSession) -> None:
        done = self.story.done_before()
        for order, step in enumerate(self.steps):
            previous = done.get(order)
            if previous is not None and previous.status in SETTLED_STEPS:
                continue
            if previous is not None and self._holds_after_all(session, step, previous):
                continue
            self._try(session, order, step)

    def _try(self, session: HostSession, order: int, step: Step) -> None:
        result, ops = self._begin(order, step["name"], step["apply"])
        try:
            self._unless_pulled(result)
            outcome = session.perform(ops, self.story.saved, self.story.keep)
        except SshError as error:
            self._broken(result, step, error)
            raise
        self.story.end(result, step["apply"], outcome)

    def _broken(self, result: StepResult, step: Step, error: SshError) -> None:
        """The line broke in the middle of a step: known to have failed, or unknown and then for people to look at."""
        is_unknown = error.outcome_unknown and step["changes"]
        status = StepStatus.UNCERTAIN if is_unknown else StepStatus.FAILED
        code = _code_of(error)
        self.story.end_step(result, status, step["apply"], error_code=code, error=str(error))
        if is_unknown:
            raise OutcomeUnknown(code, f"{step['name']}: {error}") from error

    def _holds_after_all(self, session: HostSession, step: Step, result: StepResult) -> bool:
        """Whether a step that was begun and never ended holds; True settles it, False lets it be tried again."""
        if self._ended_badly(result):
            return False
        if step["probe"] is None or was_idle(step["apply"], self.story.saved):
            self.story.end_step(result, StepStatus.FAILED, (), error_code=_LOST)
            if result.attempt >= _ATTEMPTS:
                raise StepFailed(f"{step['name']}: workers were lost in it {result.attempt} times", code=_LOST)
            return False
        outcome = self._look(session, step["probe"])
        if outcome.error is None:
            self.story.end_step(result, StepStatus.PROBED, step["probe"], outcome)
            return True
        self.story.end_step(result, StepStatus.UNCERTAIN, step["probe"], error_code=_LOST)
        if not step["is_repeatable"] or result.attempt >= _ATTEMPTS:
            raise OutcomeUnknown("outcome_unknown", f"{step['name']}: {outcome.error}")
        return False

    def _ended_badly(self, result: StepResult) -> bool:
        """Raises the failure that a worker had noted before it died; True where it is only known that one died."""
        if result.status == StepStatus.FAILED and result.error_code not in _INTERRUPTED:
            raise StepFailed(f"{result.name}: {result.error_code}", code=result.error_code)
        return result.status == StepStatus.FAILED

    def _check(self, session: HostSession) -> None:
        """Whether a host that is done is well still."""
        begun = self.story.steps_done(Phase.APPLY)
        self._close_look(self.story.done_before().get(len(self.steps)))
        result, ops = self._begin(
            len(self.steps), "health_after_bake", recheck_ops(self.steps, begun, self.story.saved)
        )
        try:
            self._unless_pulled(result)
            outcome = session.perform(ops, self.story.saved)
        except SshError as error:
            self.story.end_step(result, StepStatus.FAILED, ops, error_code=_code_of(error), error=str(error))
            raise
        self.story.end(result, ops, outcome)

    def _undo(self, session: HostSession) -> None:
        """Undo what was begun, last first; see that the host is well again before it goes back to its balancers."""
        begun = self.story.steps_done(Phase.APPLY)
        self._look_at_interrupted(session, begun)
        done = self.story.done_before()
        orders = undo_order(self.steps, begun, stays_drained=self.host_run.stays_drained)
        for position, order in enumerate(orders):
            previous = done.get(position)
            if previous is not None and previous.status in SETTLED_STEPS:
                continue
            if order is None:
                self._close_look(previous)
                if ops := recheck_ops(self.steps, begun, self.story.saved):
                    self._undo_one(session, position, "health_after_rollback", ops)
                continue
            step = self.steps[order]
            if missing(step["undo"], self.story.saved):
                continue  # the step had not come as far as its first change
            if previous is not None and self._undone_after_all(session, step, previous):
                continue
            self._undo_one(session, position, step["name"], step["undo"])

    def _close_look(self, result: StepResult | None) -> None:
        """What a worker before this one had begun and what has changed nothing: its row says what became of it."""
        if result is not None and result.status == StepStatus.STARTED:
            self.story.end_step(result, StepStatus.FAILED, (), error_code=_LOST)

    def _undone_after_all(self, session: HostSession, step: Step, result: StepResult) -> bool:
        """The same as `_holds_after_all`, for the way back."""
        if self._ended_badly(result):
            return False
        if was_idle(step["undo"], self.story.saved) or not step["undo_probe"]:
            self.story.end_step(result, StepStatus.FAILED, (), error_code=_LOST)
            return False
        outcome = self._look(session, step["undo_probe"])
        if outcome.error is None:
            self.story.end_step(result, StepStatus.PROBED, step["undo_probe"], outcome)
            return True
        self.story.end_step(result, StepStatus.UNCERTAIN, step["undo_probe"], error_code=_LOST)
        if not step["is_undo_repeatable"]:
            raise OutcomeUnknown("outcome_unknown", f"{step['name']}: {outcome.error}")
        return False

    def _undo_one(self, session: HostSession, position: int, name: str, ops: Sequence[Op]) -> None:
        result, ops = self._begin(position, name, ops)
        try:
            self._unless_pulled(result)
            outcome = session.perform(ops, self.story.saved, self.story.keep)
        except SshError as error:
            is_cut = isinstance(error, Cancelled)
            status = StepStatus.UNCERTAIN if is_cut else StepStatus.FAILED
            self.story.end_step(result, status, ops, error_code=_code_of(error), error=str(error))
            if is_cut:
                raise OutcomeUnknown(HALTED_CODE, f"{name}: {error}") from error
            raise
        self.story.end(result, ops, outcome)

    def _look_at_interrupted(self, session: HostSession, begun: Mapping[int, StepResult]) -> None:
        """What was cut short is probed before it is undone, so that the rows say what was there."""
        for order, result in begun.items():
            step = self.steps[order]
            if not has_open_change(self.steps, [result]) or was_idle(step["apply"], self.story.saved):
                self._close_look(result)
            elif step["probe"]:
                outcome = self._look(session, step["probe"])
                if outcome.error is None:
                    self.story.end_step(result, StepStatus.PROBED, step["probe"], outcome)
                elif result.status == StepStatus.STARTED:
                    self.story.end_step(result, StepStatus.UNCERTAIN, step["probe"], outcome)

    def _unless_pulled(self, result: StepResult) -> None:
        """The switch was pressed while the step's row was written: nothing was sent, and nothing will be."""
        try:
            self.brake.before_step()
        except Halted:
            self.story.end_step(result, StepStatus.FAILED, (), error_code=HALTED_CODE)
            raise

    def _stop(self) -> None:
        """The kill switch: say where the host stands."""
        steps = self.story.steps_done(Phase.APPLY)
        if self.phase == Phase.CHECK:
            self.story.settle("end_check")
        elif self.phase == Phase.UNDO:
            self.story.settle("halt_undo", HALTED_CODE, _("Halted before it was rolled back to the end."))
        elif self.story.has_open_step():
            self.story.settle("lose", HALTED_CODE, _("Halted within a step whose outcome nobody has looked at yet."))
        elif not steps:
            self.story.settle("spare")
        else:
            self.story.settle("halt", HALTED_CODE, halted_where(self.steps, steps))

    def give_up(self) -> None:
        """After a defect of ours in the middle of the work: how the host is, nobody knows. Raises ClaimLost."""
        by = "fail" if self.phase == Phase.CHECK else "lose"
        self.story.settle(by, "internal_error", "unexpected error in the worker; see its log")

    def _begin(self, order: int, name: str, ops: Sequence[Op]) -> tuple[StepResult, Sequence[Op]]:
        self.brake.before_step()
        return self.story.begin(order, name, ops)

    def _look(self, session: HostSession, ops: Sequence[Op]) -> Outcome:
        """Probe; what was learnt before is told first."""
        self.story.tell_the_rest()
        return session.perform(ops, self.story.saved)
