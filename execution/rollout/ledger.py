"""Where the host threads of one worker have their reports written down, together.

Each waits until its own is committed, so what is committed before a command is sent stays as it is; while one
transaction is being written, the next reports gather. So many hosts cost few commits, one connection, and one wait for
the run's event head and the chain (ADR 0021).
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from types import TracebackType
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connection

from execution.exceptions import ClaimLost, Halted
from execution.models import HostRun, Run, StepResult
from execution.rollout.record import Answer, Note, Report, write_down

T = TypeVar("T")
_MOST = 200
"""Reports in one transaction."""


class Ledger:
    """Writes at once, in the caller's thread and transaction."""

    def __init__(self, run: Run, claim: str) -> None:
        self.run, self.claim = run, claim

    def write(self, host_run: HostRun, *notes: Note) -> StepResult | None:
        """The notes are committed when this returns; gives the row of a begun step. Raises ClaimLost, Halted."""
        answer = self._written(Report(host_run, notes))
        if isinstance(answer, ClaimLost | Halted):
            raise answer
        return answer

    def read(self, question: Callable[[], T]) -> T:
        """What `question` gives, asked where the database is at hand."""
        return question()

    def _written(self, report: Report) -> Answer:
        return write_down(self.run, self.claim, [report])[0]


class SharedLedger(Ledger):
    """Of one worker's host threads: a thread of its own writes for all, on its own connection."""

    def __init__(self, run: Run, claim: str) -> None:
        super().__init__(run, claim)
        self._waiting: queue.SimpleQueue[tuple[Report | Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=copy_context().run, args=(self._work,), name="ledger", daemon=True)

    def __enter__(self) -> "SharedLedger":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._waiting.put(None)
        self._thread.join()

    def read(self, question: Callable[[], T]) -> T:
        return self._ask(question)  # type: ignore[no-any-return]

    def _written(self, report: Report) -> Answer:
        return self._ask(report)  # type: ignore[no-any-return]

    def _ask(self, what: Report | Callable[[], Any]) -> Any:
        asked: Future[Any] = Future()
        self._waiting.put((what, asked))
        return asked.result()

    def _work(self) -> None:
        try:
            while (first := self._waiting.get()) is not None:
                asked = [first]
                while len(asked) < _MOST and not self._waiting.empty():
                    following = self._waiting.get()
                    if following is None:
                        self._waiting.put(None)
                        break
                    asked.append(following)
                reports = [(what, future) for what, future in asked if isinstance(what, Report)]
                if reports:
                    self._write_all(reports)
                for what, future in asked:
                    if not isinstance(what, Report):
                        self._answer(future, what)
        finally:
            connection.close()

    def _write_all(self, reports: list[tuple[Report, Future[Any]]]) -> None:
        """All in one transaction; one that can't be written doesn't take the others along."""
        try:
            answers = write_down(self.run, self.claim, [report for report, _asked in reports])
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            connection.close_if_unusable_or_obsolete()
            # Where the line broke in the commit nobody knows whether it was one: nothing is written twice.
            if len(reports) > 1 and not isinstance(error, OperationalError | InterfaceError):
                for report in reports:
                    self._write_all([report])
                return
            for _report, asked in reports:
                asked.set_exception(error)
            return
        for (_report, asked), answer in zip(reports, answers, strict=True):
            asked.set_result(answer)

    def _answer(self, asked: Future[Any], question: Callable[[], Any]) -> None:
        try:
            asked.set_result(question())
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            connection.close_if_unusable_or_obsolete()
            asked.set_exception(error)
