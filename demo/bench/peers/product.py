"""The whole product at the same work: filed, planned, approved, then driven by one cluster with two workers.

Gate, database, locks, chain entries and events are all in it; nobody watches a page. Its deployment is the shipped
one (ten steps that save, verify and prove more than the peers' eight), in one wave, as the peers go.
"""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.choices import ProofMethod, Role
from accounts.identity import IdentityProof
from accounts.models import User
from demo.bench.peers.measure import MemoryOf, Taken, family_of, spent
from demo.fleet import Fleet
from demo.seed import Person, seed
from execution.models import Run
from execution.playbooks.publish import SHIPPED, publish_playbook
from governance.choices import Decision
from governance.models import ApprovalStep
from governance.services.decide_step import decide_step
from guardia.common.clock import now
from tickets.choices import Channel
from tickets.models import OpsTask
from tickets.services.file_task import file_task

_STAFF = (
    Person("peers.site", "현장", Role.SITE_MANAGER, "PEERS"),
    Person("peers.owner", "팀장", Role.TEAM_LEAD, "PEERS"),
    Person("peers.pm", "피엠", Role.PM, "PEERS"),
)
_TRUE = """\
name: health-check
version: {version}
sub_type: HEALTH_CHECK
needs: []
strategy:
  batches: ["100%"]
steps:
  - script: {{language: shell, text: "true", changes: false}}
"""
_TEXTS = {"A": "비교시험시스템 WAS 상태 점검해 주세요", "B": "비교시험시스템 WAS 전체에 3.0.0 배포해 주세요"}
_PATIENCE_SECONDS = 600.0
_VERSION = 1000  # of the playbooks here: above all that are shipped
_numbers = count(1)


class Product:
    """As a context manager: with its cluster running, on the hosts of a fleet that is up."""

    def __init__(self, fleet: Fleet, work: str) -> None:
        self._fleet, self._work = fleet, work
        self._worker: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Product":
        data = _inventory(self._fleet)
        seed(self._fleet.inventory(), data=data, staff=_STAFF, owners={"PEERS-WAS": ("peers.owner", None)})
        _publish(self._work)
        with (settings.GUARDIA_HOME / "peers-worker.log").open("ab") as log:
            self._worker = subprocess.Popen(
                [sys.executable, "manage.py", "worker"],
                cwd=settings.BASE_DIR,
                env={**os.environ, "GUARDIA_WORKERS": "2", "MALLOC_ARENA_MAX": "2"},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        time.sleep(5)  # its start is nobody's business here
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._worker is not None
        self._worker.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._worker.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(self._worker.pid, signal.SIGKILL)
        self._worker.wait()

    def measure(self, hosts: int) -> Taken:
        """From the run's start to its end, as its rows tell."""
        assert self._worker is not None
        family = family_of(self._worker.pid)
        before, database = _cpu(family), spent(_database())
        with MemoryOf(lambda: family) as memory:
            run = self._rolled_out(hosts)
        assert run.finished_at is not None
        if run.status != "SUCCEEDED":
            raise RuntimeError(f"the run ended {run.status}: {run.reason}")
        seconds, cpu = (run.finished_at - run.started_at).total_seconds(), _cpu(family) - before
        return Taken(seconds, cpu, memory.peak_mib, cpu + spent(_database()) - database)

    def _rolled_out(self, hosts: int) -> Run:
        names = [spec.hostname for spec in self._fleet.hosts[:hosts]]
        site, owner, pm = (User.objects.get(username=person.username) for person in _STAFF)
        content = (settings.GUARDIA_HOME / "bench.war").read_bytes() + f"{os.getpid()}-{next(_numbers)}".encode()
        artefact = SimpleUploadedFile("bench.war", content) if self._work == "B" else None
        task = file_task(actor=site, text=_TEXTS[self._work], channel=Channel.API, artefact=artefact, hostnames=names)
        for person in (owner, pm) if self._work == "B" else (owner,):
            _approve(task, person)
        run: Run = _wait(lambda: Run.objects.filter(task=task).exclude(finished_at=None).first(), task)
        return run


def _approve(task: OpsTask, person: User) -> None:
    waiting = ApprovalStep.objects.filter(round__task=task, status="PENDING").select_related("round")
    step = _wait(waiting.first, task)
    decide_step(
        actor=person,
        step_pk=step.pk,
        decision=Decision.APPROVE,
        digest=step.round.plan_digest,
        channel=Channel.API,
        comment="",
        proof=IdentityProof(person.pk, ProofMethod.PASSWORD, now()),
    )


def _wait(until: Any, task: OpsTask) -> Any:
    ends = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < ends:
        found = until()
        if found is not None:
            return found
        time.sleep(0.2)
    task = OpsTask.objects.get(pk=task.pk)
    raise RuntimeError(f"{task.task_id} stayed in {task.status}: {task.reason}")


def _publish(work: str) -> None:
    """Everything in one wave, in a version of its own."""
    source = _TRUE.format(version=_VERSION)
    if work == "B":
        shipped = (Path(SHIPPED) / "was_rolling.yaml").read_text(encoding="utf-8")
        source = re.sub(r"^version: .*$", f"version: {_VERSION}", shipped, count=1, flags=re.MULTILINE)
        source = re.sub(r"^  batches: .*$", '  batches: ["100%"]', source, count=1, flags=re.MULTILINE)
    publish_playbook(actor="guardia", source=source)


def _database() -> list[psutil.Process]:
    """The processes of this home's embedded server; none where another one is named."""
    found = psutil.process_iter(["name"])
    return [process for process in found if process.info["name"] == "postgres" and _is_here(process)]


def _is_here(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return Path(process.cwd()).is_relative_to(settings.GUARDIA_HOME)
    return False


def _cpu(family: list[psutil.Process]) -> float:
    total = 0.0
    for process in family:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def _inventory(fleet: Fleet) -> dict[str, Any]:
    servers = [
        {
            "hostname": host.hostname,
            "system": "PEERS-WAS",
            "site": "PEERS-1",
            "role": "was",
            "number": number,
            "ip": host.address,
        }
        for number, host in enumerate(fleet.inventory(), start=1)
    ]
    return {
        "institutions": [{"code": "PEERS", "name": "비교시험원"}],
        "sites": [{"code": "PEERS-1", "institution": "PEERS", "name": "비교시험센터", "tier": 2}],
        "systems": [{"code": "PEERS-WAS", "institution": "PEERS", "name": "비교시험시스템"}],
        "servers": servers,
    }
