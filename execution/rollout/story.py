"""What a worker tells about its host as it goes on: attempts, their ends, what they saved, where the host stands.

How a step ended is told together with what comes next, and always before anything else is sent or asked.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from django.utils.translation import gettext as _

from execution.choices import Phase, StepStatus
from execution.exceptions import StepFailed
from execution.gate.session import Outcome
from execution.models import HostRun, StepResult
from execution.rollout.ledger import Ledger
from execution.rollout.record import Begin, End, Keep, Note, Settle, steps_done
from execution.rollout.where import has_open_change, left_out
from execution.steps.ops import Op, Step
from execution.steps.saving import repeated, without

T = TypeVar("T")


class HostStory:
    """Of one host in one phase. `saved`: what the host told us to keep. Everything raises ClaimLost once another
    worker has the host."""

    def __init__(self, host_run: HostRun, phase: Phase, steps: Sequence[Step], ledger: Ledger) -> None:
        self.saved: dict[str, str] = dict(host_run.saved)
        self._host_run, self._phase, self._steps, self._ledger = host_run, phase, steps, ledger
        self._attempts: Counter[int] = Counter()
        self._untold: list[Note] = []

    def begin(self, order: int, name: str, ops: Sequence[Op]) -> tuple[StepResult, Sequence[Op]]:
        """Note the attempt. A second one keeps what the first one saved, so it does without those operations."""
        self._attempts[order] += 1
        is_first = self._attempts[order] == 1
        self.saved = without(self.saved, ops) if is_first else self.saved
        result = self.tell(Begin(self._phase, order, self._attempts[order], name, dict(self.saved)))
        assert result is not None, "a Begin is answered by its row"
        return result, ops if is_first else repeated(ops, self.saved)

    def done_before(self) -> Mapping[int, StepResult]:
        """What workers before this one did in this phase."""
        if self._host_run.is_untouched:
            return {}
        done = self.steps_done(self._phase)
        self._attempts = Counter({order: result.attempt for order, result in done.items()})
        return done

    def keep(self, saved: dict[str, str]) -> None:
        self.tell(Keep(dict(saved)))
        self.saved = dict(saved)

    def end(self, result: StepResult, ops: Sequence[Op], outcome: Outcome) -> None:
        """Raises StepFailed where the outcome is one."""
        self.saved = outcome.saved
        error: StepFailed | None = outcome.error
        if error is None:
            self._untold.append(End(result, StepStatus.OK, ops, outcome))
            return
        self.end_step(result, StepStatus.FAILED, ops, outcome, error_code=error.code, error=str(error))
        raise StepFailed(f"{result.name}: {error}", code=error.code)

    def end_step(
        self,
        result: StepResult,
        status: StepStatus,
        ops: Sequence[Op],
        outcome: Outcome | None = None,
        error_code: str = "",
        error: str = "",
    ) -> None:
        self.tell(End(result, status, ops, outcome, error_code, error))

    def has_open_step(self) -> bool:
        """A changing step was begun (by a worker that died) and we couldn't look: its outcome stays unknown."""
        if self._phase != Phase.APPLY:
            return False
        return has_open_change(self._steps, self.steps_done(Phase.APPLY).values())

    def steps_done(self, phase: Phase) -> Mapping[int, StepResult]:
        return self.read(lambda: steps_done(self._host_run, phase))

    def read(self, question: Callable[[], T]) -> T:
        """Of the rows as they are with what was still untold."""
        self.tell_the_rest()
        return self._ledger.read(question)

    def tell_the_rest(self) -> None:
        if self._untold:
            self.tell()

    def tell(self, *notes: Note) -> StepResult | None:
        """Committed when this returns, behind what was still untold."""
        told, self._untold = (*self._untold, *notes), []
        return self._ledger.write(self._host_run, *told)

    def settle(self, by: str, code: str = "", message: str = "") -> None:
        if by in ("lose", "halt", "halt_undo", "fail_undo"):
            message = f"{message} {self._left_out()}".rstrip()
        self.tell(Settle(by, code, message))

    def _left_out(self) -> str:
        """Where it gets no requests until people put it back; empty where it does."""
        results = self.read(lambda: list(self._host_run.steps.order_by("pk")))
        places = left_out(self._steps, results, self.saved)
        return _("Still taken out at %(places)s.") % {"places": ", ".join(places)} if places else ""
