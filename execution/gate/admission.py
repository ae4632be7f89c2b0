"""The checks before a run and before every connection. Each refusal says which check it was (`code`)."""

import hashlib
from typing import Any

from django.utils.translation import gettext as _

from execution.exceptions import GateClosed, NotNow
from execution.gate.halts import refuse_halted
from execution.gate.integrity import check_integrity
from execution.models import HostLock, HostRun, Plan, Run
from governance.selectors import accepted_change, approved_digest
from governance.selectors_windows import hold_on
from tickets.choices import TaskStatus
from tickets.models import OpsTask
from tickets.models.artefact import stored_path


def approved_content(plan: Plan) -> dict[str, Any]:
    """The plan's content, when its bytes give its digest and that is the digest which every approver decided for."""
    if hashlib.sha256(plan.document.encode()).hexdigest() != plan.digest:
        raise GateClosed(_("The plan was altered after it was made."), code="plan_altered")
    check_approval(plan)
    return plan.content


def check_approval(plan: Plan) -> None:
    if approved_digest(plan.task) != plan.digest:
        raise GateClosed(_("This plan is not the approved one."), code="not_approved")


def check_change(task: OpsTask, begun_with: str | None = None) -> str:
    """The digest of the accepted change, reckoned anew from its diff: it is what the PM was shown and, once a run has
    begun, what that run stores. Empty for work without a change."""
    change = accepted_change(task)
    digest = hashlib.sha256(change.diff.encode()).hexdigest() if change is not None else ""
    if digest != (change.diff_digest if change is not None else "") or begun_with not in (None, digest):
        raise GateClosed(_("The change isn't the one that was reviewed and accepted."), code="change_altered")
    return digest


def check_artefacts(content: dict[str, Any]) -> None:
    """The stored files are byte for byte the approved ones."""
    for file in content["artefacts"]:
        try:
            with stored_path(file["sha256"]).open("rb") as stored:
                found = hashlib.file_digest(stored, "sha256").hexdigest()
        except OSError:
            found = "-"
        if found != file["sha256"]:
            told = {"name": file["name"], "approved": file["sha256"], "found": found}
            message = _("The stored file “%(name)s” isn't the approved one: SHA-256 %(approved)s, now %(found)s.")
            raise GateClosed(message % told, code="artefact_altered")


def check_hours(task: OpsTask, *, in_windows: bool = True) -> None:
    """Windows, freezes and the PM's “later”: asked before a run and before each wave, never in the middle of one, so
    that no wave is left half done. Raises NotNow. `in_windows=False` looks at freezes alone."""
    hold = hold_on(task, in_windows=in_windows)
    if hold is not None:
        raise NotNow(hold)


def check_connection(host_run: HostRun, claim: str) -> None:
    """Everything that must hold at this moment for this host: read anew from the database, never remembered."""
    runs = Run.objects.select_related("task__institution", "plan__task").defer("plan__document")
    run = runs.get(pk=host_run.wave.run_id)
    refuse_halted(run, host_run.phase)
    if not run.is_living or run.task.status != TaskStatus.EXECUTING:
        raise GateClosed(_("The run has ended."), code="run_ended")
    check_approval(run.plan)
    if not host_run.steps.exists():
        check_integrity(run.task.institution)
    check_change(run.task, run.diff_digest)
    if not HostLock.objects.filter(server_id=host_run.server_id, run=run).exists():
        raise GateClosed(_("Another run holds this server."), code="host_locked")
    if not HostRun.objects.filter(pk=host_run.pk, claim=claim).exists():
        raise GateClosed(_("Another worker carries on with this server."), code="claim_lost")


def check_beside(hostname: str, run: Run) -> None:
    """A balancer's host is shared by the runs that go through it, but not with one that works on it."""
    if HostLock.objects.filter(server__hostname=hostname).exclude(run=run).exists():
        raise GateClosed(_("Another run holds this server."), code="host_locked")
