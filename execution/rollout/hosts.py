"""Which servers a new run may have: none that another run holds, and no other node of their redundancy groups."""

from functools import reduce
from operator import or_

from django.db.models import Q

from cmdb.models import Server
from execution.models import HostLock
from tickets.models import OpsTask


def hold_hosts_free(task: OpsTask) -> bool:
    """Whether the task's servers and all nodes of their groups are free, with their rows locked until commit.

    Two runs on different nodes of one group could take both down at once; so the second one waits.
    """
    servers = list(task.servers.only("pk", "system_id", "redundancy_group"))
    groups = {(server.system_id, server.redundancy_group) for server in servers if server.redundancy_group}
    wanted = reduce(
        or_,
        (Q(system_id=system, redundancy_group=group) for system, group in sorted(groups)),
        Q(pk__in=[server.pk for server in servers]),
    )
    nodes = list(
        Server.objects.select_for_update(no_key=True).filter(wanted).order_by("pk").values_list("pk", flat=True)
    )
    return not HostLock.objects.filter(server__in=nodes).exists()
