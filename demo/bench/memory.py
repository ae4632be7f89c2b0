"""How much memory the portal and the worker need, sampled while they work."""

import threading
from types import TracebackType

import psutil

_PAUSE_SECONDS = 0.5
_OURS = ("uvicorn", "manage.py worker")


class PeakMemory:
    """Within the block: the highest sum of the proportional set sizes (shared pages counted once) of web and worker."""

    def __init__(self) -> None:
        self.peak_mib = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory")

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(_PAUSE_SECONDS):
            total = sum(_pss(process) for process in psutil.Process().children(recursive=True))
            self.peak_mib = max(self.peak_mib, total / 2**20)


def _pss(process: psutil.Process) -> int:
    """Bytes of one of our processes; 0 for others (the leashes, the database, the fleet) and for one that has ended."""
    try:
        command = " ".join(process.cmdline())
        is_ours = any(name in command for name in _OURS) and "guardia.embedded.leash" not in command
        return int(process.memory_full_info().pss) if is_ours else 0
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
