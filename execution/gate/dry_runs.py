"""A dry run: every host of a plan is asked what the work would change there, as the host is now.

A worker asks through the same gate as ever: kill switch, chain, locks, pinned keys, command check; and only what that
check allows by itself and what certainly changes nothing (`execution.steps.previews`). Nothing is approved by it.
"""

import hashlib
import logging
import tarfile
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import User
from audit.refusals import refusals_recorded
from audit.services import record
from execution.command_check.verdict import Verdict
from execution.exceptions import GateClosed
from execution.gate.brake import Brake
from execution.gate.direct import check_look
from execution.gate.doors import doors_of, open_doors
from execution.gate.halts import halts_of_institution, words_of
from execution.gate.integrity import check_integrity
from execution.gate.session import HostSession
from execution.models import DryLook, DryRun, HostLock
from execution.plan.judge import judge_op, surroundings_of
from execution.plan.render import commands_of
from execution.ssh.connection import Connection, connect
from execution.ssh.target import Secret
from execution.steps.ops import Step
from execution.steps.previews import Finding, Preview, answered, finding, preview_of, tree_changes
from governance.services.who import require_hand
from guardia.common.canonical import digest
from guardia.common.clock import now
from guardia.common.context import traced
from guardia.common.errors import GuardiaError, StaleState
from guardia.common.masking import mask
from guardia.common.queue import enqueue
from guardia.common.text import printable
from tickets.choices import TaskStatus
from tickets.locks import lock_visible_task
from tickets.models.artefact import stored_path

logger = logging.getLogger(__name__)
#: A plan that somebody may still approve, or that hasn't begun.
OPEN = (TaskStatus.PENDING_APPROVAL, TaskStatus.APPROVED, TaskStatus.SCHEDULED)
_TURN_SECONDS = 60
_LEASE = timedelta(seconds=30)
_WATCH_SECONDS = 1.0
_LARGEST_TREE = 8 * 1024 * 1024
_LINES, _LONGEST = 500, 500


@refusals_recorded
@transaction.atomic
def ask_dry_run(*, actor: User, task_id: str) -> DryRun:
    """Have a worker look at all hosts of the task's newest plan. For PMs and operators.

    Raises NotVisible, NotPermitted, OutsideBastion, GateClosed (the chain), StaleState (no plan, begun already, being
    looked at, the kill switch is pressed).
    """
    task = lock_visible_task(task_id, actor)
    require_hand(actor, task)
    plan = task.plans.first()
    if plan is None or task.status not in OPEN:
        raise StaleState(_("A dry run is made of a plan that hasn't begun."))
    halt = halts_of_institution(task.institution_id).first()
    if halt is not None:
        raise StaleState(words_of(halt))
    check_integrity(task.institution)
    try:
        with transaction.atomic():
            dry_run = DryRun.objects.create(plan=plan, asked_by=actor)
    except IntegrityError as error:
        raise StaleState(_("Its servers are being looked at already.")) from error
    servers = task.servers.filter(hostname__in=list(plan.content["hosts"])).order_by("hostname")
    looks = DryLook.objects.bulk_create((DryLook(dry_run=dry_run, server=one) for one in servers), batch_size=500)
    record(
        action="dry_run.asked",
        actor=actor,
        institution=task.institution,
        subject=dry_run,
        task_id=task.task_id,
        plan_digest=plan.digest,
        hosts=len(looks),
    )
    enqueue("execution.tasks.answer_dry_run", dry_run.pk)
    return dry_run


def answer_dry_run(pk: int) -> None:
    """The worker's part. What a worker that died had asked is kept, and the rest is asked by the next one: it may be
    asked twice, since nothing is changed."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    if not DryRun.objects.filter(free, pk=pk, finished_at=None).update(lease_until=Now() + _LEASE):
        return
    dry_run = DryRun.objects.select_related("plan__task__institution").get(pk=pk)
    with traced(task_id=dry_run.plan.task.task_id, channel="worker"):
        if not _Round(dry_run).work(time.monotonic() + _TURN_SECONDS):
            DryRun.objects.filter(pk=pk).update(lease_until=None)
            enqueue("execution.tasks.answer_dry_run", pk)
            return
        _finish(dry_run)


@transaction.atomic
def _finish(dry_run: DryRun) -> None:
    task, looks = dry_run.plan.task, list(dry_run.looks.order_by("pk"))
    DryRun.objects.filter(pk=dry_run.pk).update(finished_at=now(), lease_until=None)
    record(
        action="dry_run.finished",
        actor="guardia-worker",
        institution=task.institution,
        subject=dry_run,
        task_id=task.task_id,
        plan_digest=dry_run.plan.digest,
        hosts=len(looks),
        unreached=sum(bool(look.error) for look in looks),
        findings_digest=digest([look.findings for look in looks]),
    )


class _Round:
    """A worker's turn: hosts in threads, each on one connection."""

    def __init__(self, dry_run: DryRun) -> None:
        self.dry_run, self.cancel = dry_run, threading.Event()
        self.content = dry_run.plan.content
        self._archive: dict[str, str] | None = None
        self._reading = threading.Lock()

    def work(self, ends: float) -> bool:
        """True when every host was asked; False when the turn was over first."""
        rows = self.dry_run.looks.filter(finished_at=None).select_related(
            "server__site__gateway", "server__system__institution"
        )
        waiting, flying = list(rows.order_by("-pk")), set[Future[None]]()
        limit = settings.GUARDIA_HOSTS_AT_ONCE
        with ThreadPoolExecutor(max_workers=limit, thread_name_prefix="dry") as pool:
            try:
                while flying or (waiting and time.monotonic() < ends):
                    while waiting and len(flying) < limit and time.monotonic() < ends:
                        flying.add(pool.submit(self._look, waiting.pop()))
                    done, flying = wait(flying, timeout=_WATCH_SECONDS, return_when=FIRST_COMPLETED)
                    for future in done:
                        future.result()
                    self._watch()
            finally:
                self.cancel.set()
        return not waiting

    def _watch(self) -> None:
        DryRun.objects.filter(pk=self.dry_run.pk).update(lease_until=Now() + _LEASE)
        if halts_of_institution(self.dry_run.plan.task.institution_id).exists():
            self.cancel.set()

    def _look(self, look: DryLook) -> None:
        spec, error = self.content["hosts"][look.server.hostname], ""
        findings: list[Finding] = []
        asked: list[str] = []
        try:
            with self._session(look, spec) as session:
                for step in spec["steps"]:
                    findings.append(self._ask(session, step, spec, asked))
        except GuardiaError as refusal:
            error = mask(printable(str(refusal)))
        except DatabaseError:
            raise  # nothing can be kept now: the lease ends, and the next worker asks again
        except Exception:
            # A defect of ours, or a file that is gone: the others are asked all the same, and nobody asks for ever.
            logger.exception("dry run %s: %s", self.dry_run.pk, look.server.hostname)
            error = _("Something went wrong; the log of the worker tells what. Try it again, or tell the operators.")
        try:
            self._keep(look, findings, error, asked)
        finally:
            connection.close()  # the thread's own

    def _session(self, look: DryLook, spec: Mapping[str, Any]) -> HostSession:
        """Raises GateClosed, an error of the vault, or SshError."""

        def open_line(on: str) -> tuple[Connection, Secret]:
            check_look(look.server)
            if on and HostLock.objects.filter(server__hostname=on).exists():
                raise GateClosed(_("Another run holds this server."), code="host_locked")
            [opened] = open_doors([doors_of(look.server, spec, on)], self.dry_run.plan.task.task_id)
            if isinstance(opened, GuardiaError):
                raise opened
            *via, own = opened
            limit = settings.GUARDIA_CONNECT_SECONDS
            return connect(own.target, own.secret, deadline=limit, cancel=self.cancel, via=via), own.secret

        return HostSession(open_line, spec, self.cancel, Brake(self.cancel))

    def _ask(self, session: HostSession, step: Step, spec: Mapping[str, Any], asked: list[str]) -> Finding:
        preview = preview_of(step)
        if preview is None or not _is_allowed(preview, spec):
            return finding(step["name"], "unseen")
        asked += [mask(command) for command in commands_of(preview.ops)]
        if preview.kind == "tree":
            return self._tree(session, step, preview)
        outcome = session.perform(preview.ops, {})
        said = mask(printable(outcome.output))[: _LINES * _LONGEST]
        problem = mask(printable(str(outcome.error))) if outcome.error is not None else ""
        return _bounded(answered(step["name"], preview, said, problem, outcome.drift))

    def _tree(self, session: HostSession, step: Step, preview: Preview) -> Finding:
        op: Any = preview.ops[0]
        said, is_whole = session.read(op["argv"], keep=_LARGEST_TREE, seconds=op["seconds"])
        if not is_whole:
            return finding(step["name"], "unseen")
        lines = [printable(line) for line in tree_changes(said, self._files(), delete=preview.delete)]
        counts = ", ".join(f"{sign} {sum(line[0] == sign for line in lines)}" for sign in "+~-")
        return _bounded(finding(step["name"], "changes" if lines else "same", counts if lines else "", "", lines))

    def _files(self) -> dict[str, str]:
        """The files that the task's archive brings: name → SHA-256. Read once for all hosts."""
        with self._reading:
            if self._archive is None:
                path = stored_path(self.content["artefacts"][0]["tree_sha256"])
                with tarfile.open(path) as archive:
                    self._archive = dict(_digests(archive))
            return self._archive

    @transaction.atomic
    def _keep(self, look: DryLook, findings: list[Finding], error: str, asked: list[str]) -> None:
        look.findings, look.error, look.finished_at = findings, error, now()
        look.save(update_fields=["findings", "error", "finished_at"])
        server = look.server
        record(
            action="dry_run.host_asked" if not error else "dry_run.host_failed",
            actor="guardia-worker",
            institution=server.system.institution,
            subject=look,
            task_id=self.dry_run.plan.task.task_id,
            summary=error,
            system=server.system.code,
            server=server.hostname,
            commands=asked,
            output_sha256=digest(findings),
        )


def _is_allowed(preview: Preview, spec: Mapping[str, Any]) -> bool:
    """Whether the command check lets every command through by itself: what takes an approval isn't asked before one."""
    check = spec["check"]
    surroundings = surroundings_of(check["home"], tuple(check["programs"]), tuple(check.get("files", ())))
    judgements = [judge_op(op, surroundings) for op in preview.ops]
    return all(judgement is None or judgement.verdict is Verdict.ALLOW for judgement in judgements)


def _bounded(found: Finding) -> Finding:
    lines = [line[:_LONGEST] for line in found["lines"]]
    more = [f"… {len(lines) - _LINES}"] if len(lines) > _LINES else []
    return {**found, "now": found["now"][:_LONGEST], "then": found["then"][:_LONGEST], "lines": lines[:_LINES] + more}


def _digests(archive: tarfile.TarFile) -> Iterable[tuple[str, str]]:
    for member in archive:
        source = archive.extractfile(member)
        if source is not None:
            yield member.name, hashlib.file_digest(source, "sha256").hexdigest()  # type: ignore[arg-type]  # a file opened for reading
