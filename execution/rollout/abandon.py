"""A run that the gate will not let go on (its plan was altered, its approval is gone): stopped where it stands."""

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from execution.choices import HELD, HostStatus
from execution.exceptions import GateClosed
from execution.live.events import append_event
from execution.models import HostRun, Run
from execution.rollout.finish import finish_run
from execution.rollout.locks import lock_run


@transaction.atomic
def abandon_run(run_pk: int, refusal: GateClosed) -> Run | None:
    """Hand the run to people: no host is touched any more, not even to roll back, because the plan can't be trusted.

    None while a living worker still holds a host; the sweep comes again.
    """
    run = lock_run(run_pk)
    hosts = HostRun.objects.select_for_update(of=("self",)).select_related("server").filter(wave__run=run)
    if not run.is_living or hosts.filter(Q(status__in=HELD, lease_until__gte=Now())).exists():
        return None
    for host in hosts.order_by("pk"):
        if host.status == HostStatus.PENDING:
            host.spare()
        elif host.status in HELD:
            host.lose(refusal.code, str(refusal))
        elif host.status == HostStatus.UNDO_PENDING:
            host.fail_undo(refusal.code, str(refusal))
        else:
            continue
        host.save()
        append_event(run, "host_settled", host, host=host.server.hostname, status=host.status, code=refusal.code)
    run.hand_over(str(refusal))
    run.save()
    finish_run(run)
    return run
