"""The last part of the logs of a host that failed: asked for on the line that is still open, bounded in time and
size."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from audit.services import record
from execution.choices import Phase
from execution.exceptions import StepFailed
from execution.gate.session import HostSession
from execution.live.events import append_event
from execution.models import CoreLog, HostRun, Run
from execution.ssh.exceptions import SshError
from guardia.common.masking import mask
from guardia.common.text import printable

#: For all files of a host together: the rollback waits for it.
_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Fetched:
    path: str
    text: str
    error: str = ""


def fetch_core_logs(session: HostSession, paths: Sequence[str]) -> list[Fetched]:
    """Never raises for what the host does: a file that can't be had says why, and a host that doesn't answer is asked
    no more."""
    ends, found = time.monotonic() + _SECONDS, list[Fetched]()
    for path in paths:
        try:
            keep = settings.GUARDIA_CORE_LOG_KIB * 1024
            text = session.tail(path, keep=keep, seconds=ends - time.monotonic())
            found.append(Fetched(path, _whole_lines(text, keep)))
        except StepFailed as error:
            found.append(Fetched(path, "", str(error)))
        except SshError as error:
            found.append(Fetched(path, "", str(error)))
            break
    return found


def _whole_lines(text: str, keep: int) -> str:
    """Without the line that the beginning was cut off from: it may hold a secret without its name."""
    return text if len(text.encode()) < keep else text.partition("\n")[2]


@transaction.atomic
def keep_core_logs(host_run: HostRun, claim: str, phase: Phase, logs: Sequence[Fetched]) -> None:
    """Beside the run, with an entry each that has its digest; nothing where another worker holds the host now."""
    held = HostRun.objects.select_for_update(of=("self",), no_key=True).filter(pk=host_run.pk, claim=claim)
    if not held:
        return
    run, server = host_run.wave.run, host_run.server
    for row in add_core_logs(run, host_run, phase, logs):
        record(
            action="log.kept",
            actor="guardia-worker",
            institution=run.task.institution,
            subject=row,
            task_id=run.task.task_id,
            summary=row.error,
            system=server.system.code,
            server=server.hostname,
            path=row.path,
            output_sha256=row.sha256,
        )


def add_core_logs(run: Run, host_run: HostRun, phase: Phase, logs: Sequence[Fetched]) -> list[CoreLog]:
    """The rows and their event; the entries are the caller's."""
    clean = [(log.path[:1024], mask(printable(log.text)), mask(printable(log.error))[:500]) for log in logs]
    rows = CoreLog.objects.bulk_create(
        CoreLog(
            host_run=host_run,
            phase=phase,
            path=path,
            text=text,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
            error=error,
        )
        for path, text, error in clean
    )
    if rows:
        count = sum(not row.error for row in rows)
        append_event(run, "logs_kept", host_run, host=host_run.server.hostname, count=count)
    return rows
