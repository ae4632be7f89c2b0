"""From text to what it asks for: the parser's answer, turned into rows of the CMDB that the requester may name."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Max, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Institution, User
from accounts.scope import visible_to
from cmdb.models import Server, System
from guardia.common.errors import InvalidInput
from tickets.choices import NEEDS_FILE, NEEDS_SERVERS
from tickets.exceptions import NotYourSystem, UnknownServer, UnknownSystem
from tickets.intake_log import parser_said
from tickets.parsing.catalogue import Catalogue, InstitutionEntry, ServerEntry, SystemEntry
from tickets.parsing.parser import parse_request
from tickets.parsing.result import CATEGORY_OF, ParsedRequest

TEXT_LIMIT = 10_000
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
    *,
    actor: User,
    text: str,
    has_artefact: bool,
    system_code: str = "",
    hostnames: Sequence[str] = (),
    sub_type: str = "",
    params: Mapping[str, Any] | None = None,
) -> Understood:
    """Parse `text`; a system or servers that were named outright complete it, and may not contradict it.

    A kind of work that was named outright (`sub_type`, with its `params`) stands above what the text was taken for;
    that the text looks dangerous counts all the same.

    Raises UnknownSystem, UnknownServer (named outright, but not there or not visible), InvalidInput (the text speaks
    of another system than the one named) or NotYourSystem (the text asks for somebody else's system).
    """
    named = _named_servers(actor, hostnames)
    system = _named_system(actor, system_code) if system_code else named[0].system if named else None
    began = time.monotonic()
    parsed = _read(text, system, has_artefact)
    parser_said(text, parsed, time.monotonic() - began)
    if sub_type:
        parsed = _as_named(parsed, sub_type, params or {})
    if system is None and parsed.system:
        system = _visible_systems(actor).filter(code=parsed.system).first()
        if system is None:
            raise NotYourSystem
    institution = system.institution if system else _institution(actor, parsed.institution)
    servers = named or list(visible_to(Server.objects.filter(hostname__in=parsed.servers, is_active=True), actor))
    if system is not None and any(server.system_id != system.pk for server in servers):
        raise UnknownServer(_("All servers of one request must belong to one system."))
    needs = _needs(parsed, has_system=system is not None, has_servers=bool(servers), has_artefact=has_artefact)
    return Understood(parsed, institution, system, sorted(servers, key=lambda s: s.hostname), needs)


def _read(text: str, named: System | None, has_artefact: bool) -> ParsedRequest:
    """What the parser makes of the text; where the text names no system, it is read with the named one before it."""
    parsed = parse_request(text, catalogue(), has_artefact=has_artefact)
    if named is None or parsed.system == named.code:
        return parsed
    if parsed.system is not None:
        raise InvalidInput(
            _("The text speaks of another system than %(name)s.") % {"name": named}, code="contradicting_system"
        )
    return parse_request(f"{named.name} {text}"[:TEXT_LIMIT], catalogue(), has_artefact=has_artefact)


def _as_named(parsed: ParsedRequest, sub_type: str, params: Mapping[str, Any]) -> ParsedRequest:
    kept = parsed.params if parsed.sub_type == sub_type else {}
    when = {"when": parsed.params["when"]} if parsed.params.get("when") else {}
    return replace(
        parsed,
        is_request=True,
        category=CATEGORY_OF[sub_type],
        sub_type=sub_type,
        params={**kept, **when, **params},
        needs_info=("system",),  # where it isn't given beside the text
        reasons=(*parsed.reasons, "kind_named"),
    )


def _needs(parsed: ParsedRequest, *, has_system: bool, has_servers: bool, has_artefact: bool) -> list[str]:
    """What is still missing before the work can be planned."""
    given = {"system": has_system, "servers": has_servers}
    needs = [slot for slot in parsed.needs_info if not given.get(slot)]
    if parsed.sub_type in NEEDS_FILE and not has_artefact and "artifact" not in needs:
        needs.append("artifact")
    if parsed.sub_type in NEEDS_SERVERS and has_system and not has_servers and "servers" not in needs:
        needs.append("servers")
    return needs


def _visible_systems(actor: User) -> QuerySet[System]:
    return visible_to(System.objects.select_related("institution"), actor)


def _named_system(actor: User, code: str) -> System:
    system = _visible_systems(actor).filter(code=code).first()
    if system is None:
        raise UnknownSystem(_("There is no system “%(code)s” here.") % {"code": code})
    return system


def _named_servers(actor: User, hostnames: Sequence[str]) -> list[Server]:
    found = {
        server.hostname: server
        for server in visible_to(
            Server.objects.filter(hostname__in=hostnames, is_active=True).select_related("system__institution"), actor
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
