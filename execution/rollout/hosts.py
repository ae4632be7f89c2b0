"""Which servers a new run may have: none that another run holds, and no other node of their redundancy groups."""

from functools import reduce
from operator import or_

from django.db.models import Q

from cmdb.models import Balancer, Server
from execution.models import HostLock
from tickets.models import OpsTask


def hold_hosts_free(task: OpsTask) -> bool:
    """Whether the task's servers, all nodes of their groups and their balancers' hosts are free, with the rows of the
    former locked until commit.

    Two runs on different nodes of one group could take both down at once; so the second one waits. So does work on a
    balancer's host while a run goes through it, and the other way round.
    """
    servers = list(task.servers.only("pk", "system_id", "redundancy_group", "profile_id"))
    groups = {(server.system_id, server.redundancy_group) for server in servers if server.redundancy_group}
    wanted = reduce(
        or_,
        (Q(system_id=system, redundancy_group=group) for system, group in sorted(groups)),
        Q(pk__in=[server.pk for server in servers]),
    )
    nodes = list(
        Server.objects.select_for_update(no_key=True).filter(wanted).order_by("pk").values_list("pk", flat=True)
    )
    balancers = Balancer.objects.filter(is_active=True)
    beside = balancers.filter(profile__in={server.profile_id for server in servers}).values("server")
    behind = balancers.filter(server__in=[server.pk for server in servers]).values("profile")
    busy = Q(server__in=nodes) | Q(server__in=beside) | Q(server__profile__in=behind)
    return not HostLock.objects.filter(busy).exists()
