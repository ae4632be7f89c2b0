"""One tool's process at work: its own seconds and processor time, and the memory of all it started."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

TOOLS = "demo.bench.peers.tools"
_REPOSITORY = Path(__file__).resolve().parents[3]
_PAUSE_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Taken:
    """`memory`: the highest sum of the proportional set sizes, in MiB; `cpu`: processor seconds of the tool alone;
    `all_cpu`: with those of the hosts and, for the product, of its database."""

    seconds: float
    cpu: float
    memory: float
    all_cpu: float = 0.0


def spent(family: Iterable[psutil.Process]) -> float:
    """Processor seconds of these processes and of all they have had."""
    total = 0.0
    for process in family:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


class MemoryOf:
    """Within the block: the highest sum of the processes that `family` names."""

    def __init__(self, family: Callable[[], list[psutil.Process]]) -> None:
        self.peak_mib, self._family, self._stop = 0.0, family, threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory", daemon=True)

    def __enter__(self) -> "MemoryOf":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(_PAUSE_SECONDS):
            total = 0
            with suppress(psutil.NoSuchProcess):
                for process in self._family():
                    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                        total += process.memory_full_info().pss
            self.peak_mib = max(self.peak_mib, total / 2**20)


def family_of(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def run_tool(python: Path, script: str, options: list[str], job: dict[str, Any], patience: float) -> Taken:
    """Raises RuntimeError when the tool fails, leaves a host out, or takes longer than `patience` seconds."""
    command = [str(python), "-m", f"{TOOLS}.{script}", *options]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=_REPOSITORY,
        env=environment,
        start_new_session=True,
    )
    try:
        with MemoryOf(lambda: family_of(process.pid)) as memory:
            out, err = process.communicate(json.dumps(job), timeout=patience)
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"{script} took longer than {patience:.0f} s") from error
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        sys.stderr.write(err[-4000:])
        raise RuntimeError(f"{script} ended with {process.returncode}")
    told = json.loads(out.splitlines()[-1])
    if told["done"] != len(job["hosts"]):
        raise RuntimeError(f"{script} did {told['done']} of {len(job['hosts'])} hosts")
    return Taken(told["seconds"], told["cpu"], memory.peak_mib)
