"""Guardia's engine alone: the plan in memory, its session with its connector, no database, no gate; as many hosts at
once as a worker takes by default."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import django
from django.conf import settings

from demo.bench.peers.tools.work import Host, Job, tell

django.setup()

from execution.gate.brake import Brake  # noqa: E402 - after the set-up
from execution.gate.session import HostSession  # noqa: E402 - after what must come first
from execution.ssh.connection import Connection, connect  # noqa: E402 - after what must come first
from execution.ssh.target import Secret, Target  # noqa: E402 - after what must come first
from execution.steps import files, service  # noqa: E402 - after what must come first
from execution.steps.ops import Op, check, run  # noqa: E402 - after what must come first
from guardia.common.heap import settle  # noqa: E402 - after what must come first


def plan(job: Job, host: Host) -> list[Op]:
    """The same steps in the words of our library, and the host's own script for the restart. Port and health are
    looked at as the shipped playbooks do it: from the worker's side, where the service's users are."""
    if job.work == "A":
        return [run("true", seconds=120)]
    artefact, path, app, new = Path(job.artefact), f"{host.app}/webapps/app.war", host.app, job.incoming(host)
    steps = [
        files.check_disk(path=app, free_mib=64),
        service.wait_tcp(port=host.http_port, seconds=5),
        files.upload(sha256=artefact.name, size=artefact.stat().st_size, path=new),
        files.verify(sha256=artefact.name, path=new),
        files.back_up(path=path, backup=f"{app}/backup/{job.name}.old"),
        files.swap(incoming=new, path=path, backup=f"{app}/backup/{job.name}.old", sha256=artefact.name),
        check("restart", run(f"{app}/bin/restart.sh", seconds=120)),
        service.http_check(port=host.http_port, path="/health", contains='"UP"'),
    ]
    return [op for step in steps for op in step["apply"]]


def one(job: Job, host: Host) -> int:
    cancel = threading.Event()

    def open_line(_on: str) -> tuple[Connection, Secret]:
        secret = Secret("private_key", Path(host.key).read_text())
        target = Target(host.name, host.address, host.port, host.user, (host.host_key,))
        return connect(target, secret, deadline=60, cancel=cancel), secret

    programs = [f"{host.app}/bin/{name}" for name in host.scripts]
    spec: dict[str, Any] = {
        "address": host.address,
        "check": {"verdict": "escalate", "home": host.root, "programs": programs},
    }
    with HostSession(open_line, spec, cancel, Brake(cancel)) as session:
        for op in plan(job, host):
            outcome = session.perform([op], {})
            if outcome.error is not None:
                raise outcome.error
    return 1


def work(job: Job) -> int:
    with ThreadPoolExecutor(settings.GUARDIA_HOSTS_AT_ONCE) as pool:
        return sum(pool.map(lambda host: one(job, host), job.hosts))


settle()  # as a worker does at its start
tell(work)
