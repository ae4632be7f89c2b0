"""Guardia's engine alone: the plan in memory, its session with its connector, no database, no gate."""

import shlex
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import django

from demo.bench.peers.tools.work import AT_ONCE, Host, Job, tell

django.setup()

from execution.gate.brake import Brake  # noqa: E402 - after the set-up
from execution.gate.session import HostSession  # noqa: E402
from execution.ssh.connection import Connection, connect  # noqa: E402
from execution.ssh.target import Secret, Target  # noqa: E402
from execution.steps.ops import Op, run  # noqa: E402


def plan(job: Job, host: Host) -> list[Op]:
    artefact = Path(job.artefact)
    ops: list[Op] = []
    for line in job.steps(host):
        if line:
            ops.append(run(*(["sh", "-c", line] if "|" in line else shlex.split(line)), seconds=120))
        else:
            size, path = artefact.stat().st_size, job.incoming(host)
            ops.append({"op": "upload", "sha256": artefact.name, "size": size, "path": path, "seconds": 600})
    return ops


def one(job: Job, host: Host) -> int:
    cancel = threading.Event()

    def open_line(_on: str) -> tuple[Connection, Secret]:
        secret = Secret("private_key", Path(host.key).read_text())
        target = Target(host.name, host.address, host.port, host.user, (host.host_key,))
        return connect(target, secret, deadline=60, cancel=cancel), secret

    programs = [f"{host.app}/bin/{name}" for name in host.scripts]
    spec: dict[str, Any] = {"check": {"verdict": "escalate", "home": host.root, "programs": programs}}
    with HostSession(open_line, spec, cancel, Brake(cancel)) as session:
        for op in plan(job, host):
            outcome = session.perform([op], {})
            if outcome.error is not None:
                raise outcome.error
    return 1


def work(job: Job) -> int:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(lambda host: one(job, host), job.hosts))


tell(work)
