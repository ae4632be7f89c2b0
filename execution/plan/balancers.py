"""What sends a server its requests, as its steps and the gate need it: the profile's patterns, filled in."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from cmdb.models import Balancer, Server
from cmdb.models.inventory import LONGEST_WAY
from cmdb.patterns import filled
from execution.exceptions import PlanRefused

_WAY = tuple("__".join(["server", *["jump"] * length, row]) for length in range(4) for row in ("profile", "credential"))


def with_balancers(servers: QuerySet[Server]) -> QuerySet[Server]:
    """Servers whose profiles have `active_balancers`, in one more query."""
    active = Balancer.objects.filter(is_active=True).select_related(*_WAY).order_by("name")
    return servers.prefetch_related(Prefetch("profile__balancers", active, to_attr="active_balancers"))


def balancers_of(server: Server) -> list[dict[str, Any]]:
    """As `execution.steps.balancers` takes them. Raises PlanRefused where a pattern gives no plain name."""
    return [_resolved(row, server) for row in _rows(server)]


def balancer_hosts(server: Server) -> list[Server]:
    """The hosts on which their commands run. Raises PlanRefused for one that can't be reached."""
    hosts = {row.server.hostname: row.server for row in _rows(server) if row.server is not None}
    for host in hosts.values():
        way = host.way()
        if len(way) > LONGEST_WAY or any(not hop.is_active or hop.credential is None for hop in (host, *way)):
            text = _("The balancer's host %(name)s, or its way there, is not active or has no credential.")
            raise PlanRefused(text % {"name": host.hostname}, code="no_balancer")
    return [hosts[name] for name in sorted(hosts)]


def trusted_by(balancers: Sequence[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """(programs, files) that the profile itself names: the institution's commands, and what nginx reads."""
    programs = [row[name][0] for row in balancers for name in ("drain", "undrain", "drained", "used") if row[name]]
    files = [row["control"] for row in balancers if row["kind"] == "nginx"]
    return sorted(set(programs)), sorted(set(files))


def _rows(server: Server) -> list[Balancer]:
    return server.profile.active_balancers  # type: ignore[attr-defined, no-any-return]  # prefetched under this name


def _resolved(row: Balancer, server: Server) -> dict[str, Any]:
    try:
        names = {name: filled(getattr(row, name), server) for name in ("backend", "member")}
        commands = {
            name: [filled(word, server) for word in row.words_of(f"{name}_command")]
            for name in ("drain", "undrain", "drained", "used")
        }
    except ValueError as error:
        text = _("Balancer %(name)s can't name server %(server)s: %(error)s")
        told = {"name": row.name, "server": server.hostname, "error": error}
        raise PlanRefused(text % told, code="no_balancer") from error
    return {
        "name": row.name,
        "kind": row.kind,
        "on": row.server.hostname if row.server is not None else "",
        "control": row.control,
        **names,
        "program": row.program,
        "seconds": row.seconds,
        "others": row.others_needed,
        **commands,
    }
