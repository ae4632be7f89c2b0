"""The end of a run that the gate lets no further: people are told what stands where."""

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from execution.choices import CLAIMABLE, HELD, HostStatus
from execution.exceptions import GateClosed
from execution.live.events import append_event
from execution.models import HostRun
from execution.rollout.claims import expired
from execution.rollout.finish import finish_run
from execution.rollout.locks import lock_run


@transaction.atomic
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
        put_down(host, refusal.code, str(refusal))
        append_event(run, "host_settled", host, host=host.server.hostname, status=host.status, code=host.error_code)
    if settings.GUARDIA_GATEWAY:
        return
    reason = str(refusal)
    if named:
        reason = _("%(reason)s Look at %(hosts)s.") % {"reason": reason, "hosts": ", ".join(named)}
    run.hand_over(reason)
    run.save()
    finish_run(run)


def put_down(host: HostRun, code: str, why: str) -> None:
    """Nobody goes on with a locked host: where a change may be under way, nobody knows how it is."""
    if host.status == HostStatus.PENDING:
        host.spare()
    elif host.status in (HostStatus.CHECK_PENDING, HostStatus.CHECKING):
        host.end_check()
    elif host.status in HELD:
        host.lose(code, why)
    else:
        host.fail_undo(code, why)
    host.save()
