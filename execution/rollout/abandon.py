<<<<<<< HEAD
"""A run that the gate will not let go on (its plan was altered, its approval is gone): stopped where it stands."""

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from execution.choices import HELD, HostStatus
from execution.exceptions import GateClosed
from execution.live.events import append_event
from execution.models import HostRun, Run
=======
"""The end of a run that the gate lets no further: people are told what stands where."""

from django.db import transaction
from django.utils.translation import gettext as _

from execution.choices import CLAIMABLE, HELD, HostStatus, RunStatus
from execution.exceptions import GateClosed
from execution.live.events import append_event
from execution.models import HostRun
from execution.rollout.claims import expired
>>>>>>> tests-exec
from execution.rollout.finish import finish_run
from execution.rollout.locks import lock_run


@transaction.atomic
<<<<<<< HEAD
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
=======
def abandon(run_pk: int, refusal: GateClosed) -> None:
    """Hand a living run over to people (MAN) with the gate's reason; its locks are released.

    Hosts that nobody has touched stay so; what waited for its rollback or was held by a dead worker is named. While a
    living worker holds a host nothing is done: the sweep comes back when its lease has ended.
    """
    run = lock_run(run_pk)
    rows = HostRun.objects.select_for_update(of=("self",), no_key=True).select_related("server", "wave").order_by("pk")
    hosts = list(rows.filter(wave__run=run, status__in=[*CLAIMABLE, *HELD]))
    orphans = set(expired(run).values_list("pk", flat=True))
    if not run.is_living or any(host.status in HELD and host.pk not in orphans for host in hosts):
        return
    named = [host.server.hostname for host in hosts if host.status != HostStatus.PENDING]
    for host in hosts:
        _settle(host, refusal)
        append_event(run, "host_settled", host, host=host.server.hostname, status=host.status, code=host.error_code)
    reason = str(refusal)
    if named:
        reason = _("%(reason)s Look at %(hosts)s.") % {"reason": reason, "hosts": ", ".join(named)}
    if run.status == RunStatus.RUNNING:
        run.roll_back(reason)
    run.hand_over(reason)
    run.save()
    finish_run(run)


def _settle(host: HostRun, refusal: GateClosed) -> None:
    if host.status == HostStatus.PENDING:
        host.spare()
    elif host.status in HELD:
        host.lose(refusal.code, str(refusal))
    else:
        host.take_undo()
        host.fail_undo(refusal.code, str(refusal))
    host.save()
>>>>>>> tests-exec
