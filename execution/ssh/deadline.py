"""One monotonic deadline per operation, and the caller's wish to stop."""

import threading
import time

from execution.ssh.exceptions import Cancelled, SshError

SLICE, LONGEST_SLICE = 0.2, 2.0
_THREADS_PER_SLICE = 100
GRACE = 0.4
"""Seconds the caller's thread has to end an operation gently before the reader thread cuts the line."""


def slice_seconds() -> float:
    """The longest sleep before deadline and cancel are looked at again. With a thousand hosts in one worker two
    thousand threads look; each does so less often then, or looking would be all that they do."""
    return min(LONGEST_SLICE, SLICE * max(1.0, threading.active_count() / _THREADS_PER_SLICE))


class Deadline:
    """Seconds from now until an operation must have ended; shared by the caller's and the reader's thread."""

    def __init__(self, seconds: float, cancel: threading.Event | None = None) -> None:
        self.started = time.monotonic()
        self._ends = self.started + max(seconds, 0.0)
        self._cancel = cancel

    def no_longer_than(self, seconds: float) -> "Deadline":
        """One for a part of the operation: these seconds from now, or what is left."""
        return Deadline(min(seconds, self._ends - time.monotonic()), self._cancel)

    @property
    def cancelled(self) -> bool:
        return self._cancel is not None and self._cancel.is_set()

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self._ends

    @property
    def overdue(self) -> bool:
        """True when whatever still blocks must be cut off by force."""
        return self.cancelled or time.monotonic() >= self._ends + GRACE

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    def slice(self) -> float:
        """Seconds to sleep now, at most."""
        return max(0.0, min(slice_seconds(), self._ends - time.monotonic()))

    def check(self, late: type[SshError], *, outcome_unknown: bool = False) -> None:
        """Raise Cancelled or `late` when it's time to."""
        if self.cancelled:
            raise Cancelled(outcome_unknown=outcome_unknown)
        if self.passed:
            raise late(outcome_unknown=outcome_unknown)
