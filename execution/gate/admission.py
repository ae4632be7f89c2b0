"""The checks before a run and before every connection. Each refusal says which check it was (`code`)."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from execution.exceptions import GateClosed, NotNow
from execution.gate.halts import refuse_halted
from execution.gate.integrity import check_integrity
from execution.gate.orders import check_order
from execution.models import HostLock, HostRun, Plan, Run, StepResult
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
    if settings.GUARDIA_GATEWAY:
        check_order(plan)
    elif approved_digest(plan.task) != plan.digest:
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
    [refusal] = refusals_of(host_run.wave.run_id, [(host_run, claim)])
    if refusal is not None:
        raise refusal


def refusals_of(run_pk: int, held: Sequence[tuple[HostRun, str]]) -> list[GateClosed | None]:
    """The same for many hosts of one run with their claims: why not, for each; None where everything holds."""
    runs = Run.objects.select_related("task__institution", "plan__task").defer("plan__document")
    run, pks = runs.get(pk=run_pk), [host_run.pk for host_run, _claim in held]
    halted = {phase: _refusal(refuse_halted, run, phase) for phase in {host_run.phase for host_run, _claim in held}}
    closed = _refusal(_check_run, run)
    begun = set(StepResult.objects.filter(host_run__in=pks).values_list("host_run_id", flat=True))
    broken = _refusal(check_integrity, run.task.institution) if not begun.issuperset(pks) else None
    servers = [host_run.server_id for host_run, _claim in held]
    locked = set(HostLock.objects.filter(server__in=servers, run=run).values_list("server_id", flat=True))
    claims = dict(HostRun.objects.filter(pk__in=pks).values_list("pk", "claim"))

    def refusal_of(host_run: HostRun, claim: str) -> GateClosed | None:
        refusal = halted[host_run.phase] or closed or (None if host_run.pk in begun else broken)
        if refusal is None and host_run.server_id not in locked:
            return GateClosed(_("Another run holds this server."), code="host_locked")
        if refusal is None and claims.get(host_run.pk) != claim:
            return GateClosed(_("Another worker carries on with this server."), code="claim_lost")
        return refusal

    return [refusal_of(host_run, claim) for host_run, claim in held]


def _check_run(run: Run) -> None:
    if not run.is_living or run.task.status != TaskStatus.EXECUTING:
        raise GateClosed(_("The run has ended."), code="run_ended")
    check_approval(run.plan)
    check_change(run.task, run.diff_digest)


def _refusal(check: Callable[..., object], *about: object) -> GateClosed | None:
    try:
        check(*about)
    except GateClosed as refusal:
        return refusal
    return None


def refusal_beside(hostname: str, run: Run) -> GateClosed | None:
    """A balancer's host is shared by the runs that go through it, but not with one that works on it: then why not."""
    if HostLock.objects.filter(server__hostname=hostname).exclude(run=run).exists():
        return GateClosed(_("Another run holds this server."), code="host_locked")
    return None
