"""Servers that a gateway holds and doesn't come for: people take them back, and the gateway stays in service."""

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from audit.refusals import refusals_recorded
from audit.services import record
from cmdb.models import Gateway
from execution.choices import HostStatus
from execution.gateways.giving import lose_open_orders, open_orders
from execution.gateways.keeping import lock_gateway
from execution.live.events import hosts_settled
from execution.models import Run
from execution.rollout.locks import lock_run
from execution.rollout.way_back import locked_hosts
from governance.exceptions import ReasonMissing
from guardia.common.errors import StaleState
from guardia.common.queue import enqueue

CODE = "taken_back"


def runs_waiting_for(gateway: Gateway) -> QuerySet[Run]:
    """Runs under way with servers that the gateway holds, or that only it could roll back."""
    held = Q(waves__host_runs__orders__in=open_orders(gateway))
    back = Q(waves__host_runs__server__site__gateway=gateway, waves__host_runs__status=HostStatus.UNDO_PENDING)
    runs = Run.objects.filter(held | back, finished_at=None).select_related("task")
    return runs.order_by("pk").distinct()


@refusals_recorded
@transaction.atomic
def take_back_servers(*, actor: User, gateway_pk: int, task_id: str, reason: str) -> Run:
    """Take all servers of a run back from the gateway. How those are that it held, nobody knows: they are for people to
    look at, and so the run ends. The gateway hears of it when it comes, and stops behind the command that it is at.

    Raises NotVisible, NotPermitted, OutsideBastion, ReasonMissing, StaleState (no server of this run is there).
    """
    gateway = lock_gateway(actor, gateway_pk)
    if not reason.strip():
        raise ReasonMissing
    found = runs_waiting_for(gateway).filter(task__task_id=task_id[:32].replace("\0", "")).first()
    if found is None:
        raise StaleState(_("No server of this run waits for the gateway."))
    run = lock_run(found.pk)
    told = {"gateway": gateway.name, "name": actor, "reason": reason.strip()}
    why = _("Taken back from the gateway %(gateway)s by %(name)s: %(reason)s") % told
    lost = lose_open_orders(gateway, run, CODE, why)
    waiting = list(locked_hosts(run).filter(server__site__gateway=gateway, status=HostStatus.UNDO_PENDING))
    for host in waiting:
        host.fail_undo(CODE, why)
        host.save()
    hosts_settled(run, waiting)
    record(
        action="gateway.servers_taken_back",
        actor=actor,
        institution=gateway.institution,
        subject=gateway,
        task_id=run.task.task_id,
        summary=reason.strip(),
        servers=sorted(host.server.hostname for host in [*lost, *waiting]),
    )
    enqueue("execution.tasks.drive_run", run.pk)
    return run
