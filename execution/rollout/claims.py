"""Who carries on with which host: compare-and-set claims, held by a lease in the database's own time."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from execution.choices import CLAIMABLE, HELD, HeldFor, HostStatus, RunStatus
from execution.live.events import Happening, append_events
from execution.models import GatewayOrder, HostRun, Run, StepResult
from guardia.common.bulk import update_rows

_EXPIRED = Q(status__in=HELD, lease_until__lt=Now())
#: What waits for somebody to take it. In a pause nobody new is begun with.
FREE = Q(status__in=CLAIMABLE) & ~Q(status=HostStatus.PENDING, wave__run__held_for=HeldFor.PAUSE)
_TAKE = {
    HostStatus.PENDING: HostRun.take,
    HostStatus.CHECK_PENDING: HostRun.take_check,
    HostStatus.UNDO_PENDING: HostRun.take_undo,
}


def ours() -> Q:
    """The hosts that workers here may take: none of a gateway's sites; in a gateway, what it was ordered."""
    if settings.GUARDIA_GATEWAY:
        return Q(pk__in=GatewayOrder.objects.filter(settled_at=None).values("host_run"))
    return Q(server__site__gateway=None)


def lease_end() -> Now:
    return Now() + timedelta(seconds=settings.GUARDIA_LEASE_SECONDS)  # type: ignore[return-value]  # the stubs know no arithmetic of expressions


@transaction.atomic
def claim_hosts(run: Run, claim: str, limit: int) -> list[HostRun]:
    """Take up to `limit` hosts of the run's open waves that nobody holds, or whose holder's lease has run out."""
    rows = (
        HostRun.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
        .filter(FREE | _EXPIRED, ours(), wave__run=run, wave__is_open=True)
        .annotate(is_begun=Exists(StepResult.objects.filter(host_run=OuterRef("pk"))))
        .select_related("server__system__institution", "wave")
        .order_by("pk")[:limit]
    )
    taken: list[Any] = list(rows)
    happenings = []
    for host_run in taken:
        kind = "host_recovered" if host_run.status in HELD else "host_taken"
        if host_run.status not in HELD:
            _TAKE[HostStatus(host_run.status)](host_run)
            # Of a held one this says nothing: its holder may have begun a step since this query's snapshot.
            host_run.is_untouched = not host_run.is_begun
        host_run.claim, host_run.wave.run = claim, run
        happenings.append(Happening(kind, host_run, {"host": host_run.server.hostname, "status": host_run.status}))
    HostRun.objects.filter(pk__in=[host_run.pk for host_run in taken]).update(claim=claim, lease_until=lease_end())
    update_rows(taken, ["status", "started_at"])
    append_events(run, happenings)
    return taken


def claimable(run: Run) -> bool:
    """Whether any host waits for a worker of ours."""
    return HostRun.objects.filter(FREE, ours(), wave__run=run, wave__is_open=True).exists()


def expired(run: Run) -> QuerySet[HostRun]:
    """Hosts of the run whose worker let its lease run out."""
    return HostRun.objects.filter(_EXPIRED, wave__run=run)


@transaction.atomic
def renew_claims(claim: str, pks: Collection[int]) -> None:
    """Extend the leases on those hosts that this worker holds and works on. Locked in the order that everybody keeps:
    a bare UPDATE takes them as they lie, and would wait for the ledger while the ledger waits for it."""
    held = HostRun.objects.filter(pk__in=pks, claim=claim, status__in=HELD).order_by("pk")
    HostRun.objects.filter(pk__in=held.select_for_update(no_key=True).values("pk")).update(lease_until=lease_end())


def runs_to_drive() -> QuerySet[Run]:
    """Living runs that no worker moves: a lease ran out, or nothing is held at all."""
    hosts = HostRun.objects.filter(wave__run=OuterRef("pk"))
    return Run.objects.filter(status__in=[RunStatus.RUNNING, RunStatus.ROLLING_BACK]).filter(
        Exists(hosts.filter(_EXPIRED)) | ~Exists(hosts.filter(status__in=HELD))
    )
