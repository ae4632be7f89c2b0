"""The kill switch as the threads of a worker process feel it; `execution.rollout.watch` pulls it."""

import threading
import time

from django.db import OperationalError

from execution.exceptions import Halted
from execution.ssh.exceptions import Cancelled

GRACE_SECONDS = 5.0
"""What runs may end by itself for so long after the press; then its channel is closed."""
BLIND_SECONDS = 5.0
"""A worker that couldn't look at the switch for so long starts nothing until it can."""
_PATIENCE_SECONDS = 60.0


class Brake:
    """Of the way forward or of the way back. `pulled`: nothing new begins; `cut`: what runs is ended."""

    def __init__(self, cut: threading.Event | None = None) -> None:
        self.pulled, self.cut = threading.Event(), cut or threading.Event()
        self._seen_at: float | None = None

    def seen(self) -> None:
        """The watcher has just looked. A brake that nobody watches is never blind."""
        self._seen_at = time.monotonic()

    def before_step(self) -> None:
        """Raises Halted when nothing new may begin; OperationalError when nobody knows for a minute."""
        self._until_seen()
        if self.pulled.is_set():
            raise Halted

    def before_operation(self, *, is_begun: bool) -> None:
        """Raises Cancelled when the time of grace is over. A process that was stopped for a while looks first."""
        self._until_seen()
        if self.cut.is_set():
            raise Cancelled(outcome_unknown=is_begun)

    def _until_seen(self) -> None:
        ends = time.monotonic() + _PATIENCE_SECONDS
        while self._seen_at is not None and time.monotonic() - self._seen_at > BLIND_SECONDS:
            if time.monotonic() > ends:
                raise OperationalError("the kill switch can't be looked at")
            time.sleep(0.1)
