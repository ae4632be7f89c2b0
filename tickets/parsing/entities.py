"""Institution, system and hosts of a request. Where two readings are possible, none is taken: asking is cheap."""

import re
from dataclasses import dataclass

from .catalogue import Catalogue, ServerEntry
from .hosts import ExplicitHosts, Mention, explicit_hosts, mentions
from .names import NameHit
from .normalise import Normalised
from .rivals import acted_on, joined_to_unknown, only_mentioned
from .subsets import leaves_out, picks_unnamed
from .vocabulary import NEEDS_HOST_WORD

_DIRECTIONAL = re.compile(r"포트|port|방화벽|firewall|inbound|outbound|인바운드|아웃바운드|허용|acl|양방향|allow")
_FOREIGN = re.compile(
    r"[가-힣]{2,12}(?:공사|공단|도청|시청|군청|구청|위원회|은행|대학교|대학|병원|진흥원|연구원|재단|협회|공제회|교육청|관리원|정보원)"
    r"|(?:^|[:\n])[가-힣]{2,6}[부청처](?=[가-힣]|$)"
)
_NOT_FOREIGN = re.compile(r"(?:요청|신청|전부|일부|외부|내부|첨부|세부|간부|출처|거래처|접수처)$")
SEVERAL = "systems_several"  # a stable reason code
_NEAR = 24
_UNKNOWN_SYSTEM = re.compile(r"([가-힣a-z0-9&]{2,20}?)(?:시스템|포털|누리집|홈페이지|사이트)")
_GENERIC_SYSTEM = re.compile(
    r"(?:해당|우리|저희|운영|전체|대표|관련|연계|외부|내부|모든|다른|이|그|저|전|각|타|본|의|쪽|인|한|된)$|^담당|^관리자"
)
_ALL_SERVERS = re.compile(
    r"(?<![가-힣])(?:전|모든|전체|全)(?:체)? ?(?:시스템)?(?:의)? ?(?:서버(?!실)|시스템)"
    r"|서버(?:들)?(?:를|을|는)? ?(?:전체|전부|모두|다(?![가-힣])|일괄)|\ball (?:the )?(?:servers|hosts|nodes)"
)
_EVERYWHERE = re.compile(r"(?<!안)(?:전|모든|전체)(?:기관|부처)|전국(?:의)?(?:기관|서버)")
_ONE_OF_THEM = re.compile(
    r"(?:중에?서?|가운데)(?:의)?(?:하나|한대|1대|한쪽|어느|한개|한놈)|(?:한대|1대|하나|한쪽)만|둘중|어느(?:서버|쪽|거)(?:인지)?|oneofthe"
)


@dataclass(frozen=True, slots=True)
class Entities:
    """`servers` is in catalogue order; `ask_servers`: hosts are meant, but not which; `reasons` see ParsedRequest."""

    institution: str | None
    system: str | None
    servers: tuple[str, ...]
    ask_servers: bool
    everywhere: bool
    whole_institution: bool
    reasons: tuple[str, ...]


def resolve(doc: Normalised, catalogue: Catalogue, hits: list[NameHit]) -> Entities:
    """Resolve what the request is about (`hits`: the names found in it); all codes and hosts are the catalogue's."""
    directional = bool(_DIRECTIONAL.search(doc.compact))
    hosts = explicit_hosts(doc, catalogue, directional)
    institution = _institution(hits)
    everywhere = bool(_EVERYWHERE.search(doc.compact))
    system, how = _system(doc, catalogue, hosts, hits, directional)
    if how == SEVERAL:
        return Entities(_shared_owner(doc, catalogue, hosts, hits), None, (), False, everywhere, False, (how,))
    if system is None:
        every = _ALL_SERVERS.search(doc.lower)
        if every and len(_institutions(hits)) > 1:
            return Entities(None, None, (), False, everywhere, False, ("institutions_several",))
        if institution and every and how != "system_unknown" and not everywhere:
            names = tuple(server.hostname for server in catalogue.servers_by_institution.get(institution, ()))
            return Entities(institution, None, names, False, False, True, ("all_servers_of_institution",))
        return Entities(institution, None, (), False, everywhere, False, (how,))
    servers, ask, why = _servers(doc, catalogue, system, hosts, hits, directional)
    names = tuple(server.hostname for server in sorted(servers, key=lambda entry: catalogue.order[entry.hostname]))
    owner = catalogue.system_by_code[system].institution
    return Entities(owner, system, names, ask, everywhere, False, (how, why))


def _institution(hits: list[NameHit]) -> str | None:
    return next(iter(_institutions(hits)), None)


def _shared_owner(doc: Normalised, catalogue: Catalogue, hosts: ExplicitHosts, hits: list[NameHit]) -> str | None:
    """The institution that all the systems of the request belong to."""
    codes = {code for _, code in _named_systems(doc, catalogue, hits)[0]} | {host.system for host in hosts.servers}
    owners = {catalogue.system_by_code[code].institution for code in codes}
    return owners.pop() if len(owners) == 1 else None


def _institutions(hits: list[NameHit]) -> list[str]:
    return list(dict.fromkeys(hit.targets[0].code for hit in hits if hit.kind == "institution" and not hit.dropped))


def _system(
    doc: Normalised, catalogue: Catalogue, hosts: ExplicitHosts, hits: list[NameHit], directional: bool
) -> tuple[str | None, str]:
    named, lost = _named_systems(doc, catalogue, hits)
    unknown = _unknown_system(doc, hits)
    if by_host := _by_host(doc, catalogue, hosts, hits, [] if directional else named):
        return by_host
    if named and directional:  # a rule has two sides; the one that is not the source is changed
        hit, code = min(named, key=lambda pair: (pair[0].source, *_rank(pair[0])))
    elif named:
        hit, _ = min(named, key=lambda pair: _rank(pair[0]))
        chosen = None if joined_to_unknown(doc, named) else acted_on(doc, named)
        if chosen is None:
            return None, SEVERAL
        code = chosen
    if named and not (hit.weak and unknown):
        return code, "system_by_name"
    if hosts.unknown_system:
        return hosts.unknown_system, "system_by_unknown_host"
    return None, "system_unknown" if lost or unknown else "system_missing"


def _rank(hit: NameHit) -> tuple[bool, bool, int]:
    return not hit.labelled, hit.weak, hit.start


def _named_systems(
    doc: Normalised, catalogue: Catalogue, hits: list[NameHit]
) -> tuple[list[tuple[NameHit, str]], bool]:
    """The systems named and not ruled out, and whether a name was found that belongs to nobody here."""
    pairs = [
        (hit, _owner_checked(doc, catalogue, hit, hits)) for hit in hits if hit.kind == "system" and not hit.dropped
    ]
    return [(hit, code) for hit, code in pairs if code], any(code is None for _, code in pairs)


def _by_host(
    doc: Normalised, catalogue: Catalogue, hosts: ExplicitHosts, hits: list[NameHit], named: list[tuple[NameHit, str]]
) -> tuple[str | None, str] | None:
    """The system of the hosts given outright; `named`: system names that may contradict them."""
    servers, how = list(hosts.servers or hosts.sources[:1]), "system_by_host"
    if not servers:
        aliases = [hit for hit in hits if hit.kind == "server" and len(hit.targets) == 1 and not hit.dropped]
        servers, how = [catalogue.server_by_name[hit.targets[0].code] for hit in aliases], "system_by_host_alias"
    codes = {server.system for server in servers}
    if not codes:
        return None
    rivals = {code for hit, code in named if not hit.weak and not only_mentioned(doc, hit)} - codes
    if len(codes) > 1 or rivals:
        return None, SEVERAL
    return servers[0].system, how


def _owner_checked(doc: Normalised, catalogue: Catalogue, hit: NameHit, hits: list[NameHit]) -> str | None:
    """The system's code, unless the name stands behind another institution or is shared by several systems."""
    codes = [target.code for target in hit.targets if target.kind == "system"]
    owners = [other for other in hits if other.kind == "institution" and not other.dropped and other.start < hit.start]
    beside = [other.targets[0].code for other in owners if hit.start - other.end <= 2]
    if beside or len(codes) > 1:
        wanted = beside[-1:] or [other.targets[0].code for other in owners[-1:]]
        codes = [code for code in codes if catalogue.system_by_code[code].institution in wanted]
    elif _foreign_before(doc, hit, hits):
        return None
    return codes[0] if len(codes) == 1 else None


def _foreign_before(doc: Normalised, hit: NameHit, hits: list[NameHit]) -> bool:
    low = max(0, hit.start - _NEAR)
    for match in _FOREIGN.finditer(doc.compact[low : hit.start]):
        word = match.group()
        start, end = low + match.start(), low + match.end()
        inside = any(other.start < end and start < other.end for other in hits)
        spaced = doc.gap_before(end) or end == hit.start
        if not inside and spaced and not _NOT_FOREIGN.search(word):
            return True
    return False


def _unknown_system(doc: Normalised, hits: list[NameHit]) -> bool:
    for match in _UNKNOWN_SYSTEM.finditer(doc.compact):
        inside = any(hit.start < match.end() and match.start() < hit.end for hit in hits if hit.kind == "system")
        if inside or _GENERIC_SYSTEM.search(match.group(1)):
            continue
        return True
    return False


def _servers(
    doc: Normalised, catalogue: Catalogue, system: str, hosts: ExplicitHosts, hits: list[NameHit], directional: bool
) -> tuple[list[ServerEntry], bool, str]:
    own = catalogue.servers_by_system.get(system, ())
    found = mentions(doc, hosts.spans)
    explicit = [server for server in hosts.servers or hosts.sources if server.system == system]
    if hosts.unknown_system:
        return [], True, "host_unknown"
    for hit in [] if explicit else hits:
        if hit.kind == "server" and not hit.dropped and len(hit.targets) == 1:
            server = catalogue.server_by_name[hit.targets[0].code]
            if server.system == system:
                return [server], False, "hosts_by_alias"
    meant = _meant(found, directional)
    if picks_unnamed(doc.compact, numbers_named=bool(explicit) or any(mention.numbers for mention in meant)):
        return [], True, "subset_unnamed"
    if explicit:
        return explicit, False, "hosts_by_name"
    if (
        not any(mention.numbers for mention in meant)
        and _ONE_OF_THEM.search(doc.compact)
        and (meant or "서버" in doc.compact)
    ):
        return [], True, "one_of_them"
    if not meant and (rest := _all_but(doc, found, own)):
        return rest, False, "hosts_all_but"
    if not meant:
        if leaves_out(doc.compact) and (hosts.dropped or any(mention.dropped for mention in found)):
            return [], True, "only_left_out"
        if _ALL_SERVERS.search(doc.lower) and own:
            dropped = {server.hostname for server in hosts.dropped}
            return [server for server in own if server.hostname not in dropped], False, "all_servers_of_system"
        return [], False, "no_host_named"
    servers: list[ServerEntry] = []
    for mention in meant:
        chosen = _of_mention(mention, own)
        if chosen is None:
            return [], True, "host_unclear"
        servers += chosen
    excluded = {server.hostname for mention in found if mention.dropped and mention.numbers
                for server in _of_mention(mention, own) or ()}  # fmt: skip
    servers = [
        server for server in dict.fromkeys(servers) if server.hostname not in excluded or any(m.only for m in meant)
    ]
    return servers, False, "hosts_by_role"


def _all_but(doc: Normalised, found: list[Mention], own: tuple[ServerEntry, ...]) -> list[ServerEntry]:
    """ "was 2호기 빼고 전부": the role without the excluded numbers."""
    if not re.search(r"(?:빼고|제외|말고).{0,8}(?:전부|모두|나머지|전체|다(?![가-힣]))|나머지", doc.compact):
        return []
    excluded = [mention for mention in found if mention.dropped and mention.role and mention.numbers]
    roles = {mention.role for mention in excluded}
    left = [server for server in own if server.role in roles]
    return [s for s in left if not any(m.role == s.role and s.number in m.numbers for m in excluded)]


def _meant(found: list[Mention], directional: bool) -> list[Mention]:
    """Drop what was negated, corrected away, or is only context of a more exact mention."""
    meant = [mention for mention in found if mention.host_word and not mention.dropped]
    if only := [mention for mention in meant if mention.only and mention.numbers]:
        return only
    if any(mention.numbers for mention in meant):
        if directional and (targets := [m for m in meant if not m.source]) and any(m.numbers for m in targets):
            meant = targets
        return [mention for mention in meant if mention.numbers or mention.everything]
    return [mention for mention in meant if not mention.source] or meant[:1]


def _of_mention(mention: Mention, own: tuple[ServerEntry, ...]) -> list[ServerEntry] | None:
    """The hosts of one mention; None where it can't be told which."""
    pool = [server for server in own if mention.role in (None, server.role)]
    if mention.numbers:
        chosen = [server for server in pool if server.number in mention.numbers]
        return chosen if len(chosen) == len(set(mention.numbers)) else None
    if mention.count is not None:
        return pool if mention.count == len(pool) else None
    return None if mention.role in NEEDS_HOST_WORD and not pool else pool
