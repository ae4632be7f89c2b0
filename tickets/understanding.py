"""From text to what it asks for: the parser's answer, turned into rows of the CMDB that the requester may name."""

import time
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max
from django.utils.translation import gettext as _

from accounts.models import Institution, User
from accounts.scope import visible_to
from cmdb.models import Server, System
from tickets.choices import NEEDS_FILE
from tickets.exceptions import NotYourSystem, UnknownServer, UnknownSystem
from tickets.parsing.catalogue import Catalogue, InstitutionEntry, ServerEntry, SystemEntry
from tickets.parsing.parser import parse_request
from tickets.parsing.result import ParsedRequest

_CACHE_SECONDS = 30
_cache: tuple[tuple[Any, ...], Catalogue] | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """A request in terms of the CMDB. `needs` names what is missing; empty means that it can be planned."""

    parsed: ParsedRequest
    institution: Institution | None
    system: System | None
    servers: list[Server]
    needs: list[str]


def understand(
    *, actor: User, text: str, has_artefact: bool, system_code: str = "", hostnames: list[str] | None = None
) -> Understood:
    """Parse `text`; a system or servers that were named outright win over what the text says.

    Raises UnknownSystem, UnknownServer (named outright, but not there or not visible) or NotYourSystem (the text
    asks for somebody else's system).
    """
    parsed = parse_request(text, catalogue(), has_artefact=has_artefact)
    systems = visible_to(System.objects.select_related("institution"), actor)
    named = _named_servers(actor, hostnames or [])
    code = system_code or (named[0].system.code if named else parsed.system or "")
    system = systems.filter(code=code).first() if code else None
    if code and system is None:
        if system_code:
            raise UnknownSystem(_("There is no system “%(code)s” here.") % {"code": system_code})
        raise NotYourSystem
    institution = system.institution if system else _institution(actor, parsed.institution)
    wanted = set() if named else set(parsed.servers)
    servers = named or list(visible_to(Server.objects.filter(hostname__in=wanted, is_active=True), actor))
    if system is not None and any(server.system_id != system.pk for server in servers):
        raise UnknownServer(_("All servers of one request must belong to one system."))
    given = {"system": bool(system), "servers": bool(servers)}
    needs = [slot for slot in parsed.needs_info if not given.get(slot)]
    if parsed.sub_type in NEEDS_FILE and not has_artefact:
        needs = [*(slot for slot in needs if slot != "artifact"), "file"]
    return Understood(parsed, institution, system, sorted(servers, key=lambda s: s.hostname), needs)


def _named_servers(actor: User, hostnames: list[str]) -> list[Server]:
    found = {
        server.hostname: server
        for server in visible_to(
            Server.objects.filter(hostname__in=hostnames, is_active=True).select_related("system"), actor
        )
    }
    missing = [name for name in hostnames if name not in found]
    if missing:
        raise UnknownServer(_("There is no server “%(name)s” here.") % {"name": missing[0][:80]})
    return list(found.values())


def _institution(actor: User, code: str | None) -> Institution | None:
    mine = visible_to(Institution.objects.all(), actor)
    if code is None:
        return None
    institution = mine.filter(code=code).first()
    if institution is None:
        raise NotYourSystem
    return institution


def catalogue() -> Catalogue:
    """The CMDB as the parser's catalogue: every institution, so that a foreign name is understood as foreign.
    Kept until a row of it changes, and not for long: a change that took its time to commit bears an older date."""
    global _cache
    stamp = (
        int(time.monotonic() // _CACHE_SECONDS),
        *(
            tuple(model.objects.aggregate(n=Count("pk"), at=Max("changed_at")).values())
            for model in (Institution, System, Server)
        ),
    )
    if _cache is None or _cache[0] != stamp:
        _cache = (stamp, _built())
    return _cache[1]


def _built() -> Catalogue:
    return Catalogue(
        institutions=tuple(
            InstitutionEntry(row.code, row.name, tuple(row.aliases)) for row in Institution.objects.all()
        ),
        systems=tuple(
            SystemEntry(row.code, row.institution.code, row.name, tuple(row.aliases))
            for row in System.objects.select_related("institution")
        ),
        servers=tuple(
            ServerEntry(row.hostname, row.system.code, row.role, row.number, row.address, tuple(row.aliases))
            for row in Server.objects.filter(is_active=True).select_related("system")
        ),
    )
