"""Where the host threads of one worker have their reports written down, together.

Each waits until its own is committed, so what is committed before a command is sent stays as it is; while one
transaction is being written, the next reports gather. So many hosts cost few commits, one connection, and one wait for
the run's event head and the chain (ADR 0021).
"""

import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from types import TracebackType
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connection

from execution.exceptions import ClaimLost, Halted
from execution.gate.doors import Admission, Visit, admit
from execution.models import HostRun, Run, StepResult
from execution.rollout.record import Answer, Note, Report, write_down

T = TypeVar("T")
_MOST = 200
"""Reports in one transaction."""
_TRIES = 3
"""Of a transaction that the database took back."""
Clerk = Callable[[Sequence[Any]], Sequence[Any]]
"""Answers questions of one kind, as many as have gathered."""
Batch = list[tuple[Any, Future[Any]]]


class Ledger:
    """Writes at once, in the caller's thread and transaction."""

    def __init__(self, run: Run, claim: str) -> None:
        self.run, self.claim = run, claim

    def write(self, host_run: HostRun, *notes: Note) -> StepResult | None:
        """The notes are committed when this returns; gives the row of a begun step. Raises ClaimLost, Halted."""
        answer: Answer = self._asked(self._write_down, Report(host_run, notes))
        if isinstance(answer, ClaimLost | Halted):
            raise answer
        return answer

    def admit(self, visit: Visit) -> Admission:
        """The gate's word (`execution.gate.doors`)."""
        admission: Admission = self._asked(self._admit, visit)
        return admission

    def read(self, question: Callable[[], T]) -> T:
        """What `question` gives, asked where the database is at hand."""
        answer: T = self._asked(lambda _nothing: [question()], None)  # alone: it may write, and is asked once
        return answer

    def _write_down(self, reports: Sequence[Report]) -> Sequence[Answer]:
        return write_down(self.run, self.claim, reports)

    def _admit(self, visits: Sequence[Visit]) -> Sequence[Admission]:
        return admit(self.run, visits)

    def _asked(self, clerk: Clerk, what: Any) -> Any:
        return clerk([what])[0]


class SharedLedger(Ledger):
    """Of one worker's host threads: a thread of its own writes for all, on its own connection."""

    def __init__(self, run: Run, claim: str) -> None:
        super().__init__(run, claim)
        self._waiting: queue.SimpleQueue[tuple[Clerk, Any, Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=copy_context().run, args=(self._work,), name="ledger", daemon=True)

    def __enter__(self) -> "SharedLedger":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._waiting.put(None)
        self._thread.join()

    def _asked(self, clerk: Clerk, what: Any) -> Any:
        asked: Future[Any] = Future()
        self._waiting.put((clerk, what, asked))
        return asked.result()

    def _work(self) -> None:
        try:
            is_over = False
            while not is_over:
                gathered = [self._waiting.get()]
                while len(gathered) < _MOST and not self._waiting.empty():
                    gathered.append(self._waiting.get())
                is_over = None in gathered  # the last one: nobody asks any more
                batches: dict[Clerk, Batch] = defaultdict(list)
                for clerk, what, asked in filter(None, gathered):
                    batches[clerk].append((what, asked))
                for clerk, batch in batches.items():
                    _serve(clerk, batch)
        finally:
            connection.close()


def _serve(clerk: Clerk, batch: Batch, tries: int = _TRIES) -> None:
    """All in one go; one that can't be served doesn't take the others along."""
    try:
        answers = clerk([what for what, _asked in batch])
    except Exception as error:  # noqa: BLE001 - handed to whoever waits
        connection.close_if_unusable_or_obsolete()
        if _was_taken_back(error) and tries > 1:
            _serve(clerk, batch, tries - 1)
            return
        # Where the line broke in the commit nobody knows whether it was one: nothing is written twice.
        if len(batch) > 1 and not isinstance(error, OperationalError | InterfaceError):
            for one in batch:
                _serve(clerk, [one])
            return
        for _what, asked in batch:
            asked.set_exception(_of_ones_own(error) if len(batch) > 1 else error)
        return
    for (_what, asked), answer in zip(batch, answers, strict=True):
        asked.set_result(answer)


def _was_taken_back(error: Exception) -> bool:
    """The database says that nothing of the transaction was written: two waited for each other (SQLSTATE 40P01), or
    what was read had changed (40001)."""
    return getattr(error.__cause__, "sqlstate", None) in ("40P01", "40001")


def _of_ones_own(error: Exception) -> Exception:
    """Each thread that raises it adds where it was to its traceback."""
    mine = type(error)(*error.args)
    mine.__cause__ = error.__cause__
    return mine
