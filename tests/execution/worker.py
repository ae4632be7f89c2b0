"""A real worker beside the test: `manage.py worker` on the test's own database and home, and a way to kill it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
from django.conf import settings
from django.db import connection

LEASE_SECONDS = 2


class Worker:
    """One cluster in a session of its own, so that a kill takes all of it."""

    def __init__(
        self,
        log: Path,
        *,
        at_once: int = 8,
        folder: Path | None = None,
        inside: Callable[[list[str]], list[str]] = list,
        url: str = "",
        processes: int = 2,
    ) -> None:
        """`folder`: another one than the database's own, where its socket is to be found. `inside` puts its command
        into another network, from where `url` reaches the database."""
        self.log = log
        environment = {
            **os.environ,
            "GUARDIA_HOME": str(settings.GUARDIA_HOME),
            "GUARDIA_DATABASE_URL": url or database_url(folder),
            "GUARDIA_SECRET_KEY": settings.SECRET_KEY,
            "GUARDIA_LEASE_SECONDS": str(LEASE_SECONDS),
            "GUARDIA_HOSTS_AT_ONCE": str(at_once),
            "GUARDIA_WORKERS": str(processes),
            "GUARDIA_LOG_LEVEL": "INFO",
        }
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                inside([sys.executable, "manage.py", "worker"]),
                cwd=settings.BASE_DIR,
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL for the whole group: nothing of it can say goodbye."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def family(self) -> list[psutil.Process]:
        main = psutil.Process(self.process.pid)
        return [main, *main.children(recursive=True)]


@contextmanager
def workers(folder: Path, *, sockets: Path | None = None) -> Iterator[Callable[[], Worker]]:
    """Start as many as wanted; none is left behind. `sockets`: where the database's socket is to be found."""
    started: list[Worker] = []

    def start() -> Worker:
        started.append(Worker(folder / "worker.log", folder=sockets))
        return started[-1]

    try:
        yield start
    finally:
        for worker in started:
            worker.kill()


def database_url(folder: Path | None = None) -> str:
    """The test's own database, as GUARDIA_DATABASE_URL names it; the host may be a folder of sockets."""
    given = {**connection.get_connection_params(), **({"host": folder} if folder else {})}
    values = {key: quote(str(value), safe="/") for key, value in given.items()}
    query = "&".join(f"{key}={values[key]}" for key in ("host", "port") if values.get(key))
    return f"postgres://{values['user']}:{values.get('password', '')}@/{values['dbname']}?{query}"


def until(condition: Callable[[], object], seconds: float = 60, pause: float = 0.01) -> None:
    """Wait for the condition; a failure says which."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, f"not within {seconds} s: {condition}"
        time.sleep(pause)
