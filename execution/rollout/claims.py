"""Who carries on with which host: compare-and-set claims, held by a lease in the database's own time."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from execution.choices import CLAIMABLE, HELD, HostStatus, RunStatus
from execution.live.events import append_event
from execution.models import HostRun, Run

_EXPIRED = Q(status__in=HELD, lease_until__lt=Now())


def lease_end() -> Now:
    return Now() + timedelta(seconds=settings.GUARDIA_LEASE_SECONDS)  # type: ignore[return-value]


@transaction.atomic
def claim_hosts(run: Run, claim: str, limit: int) -> list[HostRun]:
    """Take up to `limit` hosts of the run's open waves that nobody holds, or whose holder's lease has run out."""
    rows = (
        HostRun.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
        .filter(Q(status__in=CLAIMABLE) | _EXPIRED, wave__run=run, wave__is_open=True)
        .select_related("server", "wave")
        .order_by("pk")[:limit]
    )
    taken = list(rows)
    for host_run in taken:
        is_orphan = host_run.status in HELD
        if host_run.status == HostStatus.PENDING:
            host_run.take()
        elif host_run.status == HostStatus.UNDO_PENDING:
            host_run.take_undo()
        host_run.claim, host_run.lease_until = claim, lease_end()
        host_run.save(update_fields=["status", "claim", "lease_until", "started_at"])
        kind = "host_recovered" if is_orphan else "host_taken"
        append_event(run, kind, host_run, host=host_run.server.hostname, status=host_run.status)
    return taken


def expired(run: Run) -> QuerySet[HostRun]:
    """Hosts of the run whose worker let its lease run out."""
    return HostRun.objects.filter(_EXPIRED, wave__run=run)


def renew_claims(claim: str) -> None:
    """Extend the lease on everything this worker holds."""
    HostRun.objects.filter(claim=claim, status__in=HELD).update(lease_until=lease_end())


def runs_to_drive() -> QuerySet[Run]:
    """Living runs that no worker moves: a lease ran out, or nothing is held at all."""
    hosts = HostRun.objects.filter(wave__run=OuterRef("pk"))
    return Run.objects.filter(status__in=[RunStatus.RUNNING, RunStatus.ROLLING_BACK]).filter(
        Exists(hosts.filter(_EXPIRED)) | ~Exists(hosts.filter(status__in=HELD))
    )
