"""The processes of `up` and `demo`: a web server and a worker, under the supervisor of the embedded mode."""

import os
import sys
from collections.abc import Callable, Mapping
from typing import TextIO

from django.conf import settings
from django.core.management import call_command

from guardia.database import revive_database
from guardia.embedded.processes import ProcessGroup

HOST = "127.0.0.1"
PREFERRED_PORT = 8000
#: glibc gives every thread a heap of its own and keeps what it had; a worker has many threads.
_SMALL_HEAPS = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}


def prepare() -> None:
    """Bring the schema and the static files of this home up to date."""
    migrate()
    call_command("collectstatic", verbosity=0, interactive=False)


def migrate() -> None:
    call_command("migrate", verbosity=0, interactive=False)


def portal_processes(
    port: int,
    *,
    output: TextIO | None = None,
    on_beat: Callable[[], None] | None = None,
    clock: Mapping[str, str] | None = None,
) -> ProcessGroup:
    """The group, ready to `run()`. `on_beat` is called about once a second, after the database was looked after.

    `clock`: settings that make time pass faster, for demonstrations.
    """

    def beat() -> None:
        revive_database()
        if on_beat is not None:
            on_beat()

    environment = _environment() | dict(clock or {})
    group = ProcessGroup(heartbeat=beat, output=output, stop_timeout=15)
    group.add("worker", [sys.executable, "manage.py", "worker"], environment, settings.BASE_DIR)
    group.add("web", _web(port), environment, settings.BASE_DIR)
    return group


def gateway_processes(*, output: TextIO | None = None) -> ProcessGroup:
    """The same for a gateway: a worker, and the courier that speaks with the core."""
    environment = _environment()
    group = ProcessGroup(heartbeat=revive_database, output=output, stop_timeout=15)
    group.add("worker", [sys.executable, "manage.py", "worker"], environment, settings.BASE_DIR)
    group.add("courier", [sys.executable, "manage.py", "gateway", "--courier"], environment, settings.BASE_DIR)
    return group


def _environment() -> dict[str, str]:
    return {**os.environ, "GUARDIA_HOME": str(settings.GUARDIA_HOME), "PYTHONUNBUFFERED": "1", **_SMALL_HEAPS}


def _web(port: int) -> list[str]:
    # No access log: request paths are in the audit where they matter.
    options = [
        "--no-access-log",
        "--no-server-header",
        "--no-proxy-headers",  # ours believes the named proxies (guardia.asgi)
        "--log-level",
        "warning",
        "--lifespan",
        "off",
    ]
    return [
        *(sys.executable, "-m", "uvicorn", "guardia.asgi:application", "--host", HOST, "--port", str(port)),
        *options,
        *("--ws-max-size", "65536", "--timeout-graceful-shutdown", "5"),
    ]
