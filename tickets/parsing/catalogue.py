"""The CMDB as the parser sees it: names, hosts and addresses, indexed once and then only looked up."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .normalise import name_key, ocr_key
from .vocabulary import REGULAR_HOST_ALIAS

ROLES = ("was", "web", "db", "batch", "lb")


@dataclass(frozen=True, slots=True)
class InstitutionEntry:
    code: str
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SystemEntry:
    code: str
    institution: str
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerEntry:
    hostname: str
    system: str
    role: str
    number: int
    ip: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """What a name stands for: kind is institution, system or server, code its key in the catalogue."""

    kind: str
    code: str


@dataclass(frozen=True)
class Catalogue:
    """Frozen CMDB snapshot with its indexes; build it once per CMDB revision, share it between requests."""

    institutions: tuple[InstitutionEntry, ...]
    systems: tuple[SystemEntry, ...]
    servers: tuple[ServerEntry, ...]
    system_by_code: Mapping[str, SystemEntry] = field(init=False, repr=False, compare=False)
    server_by_name: Mapping[str, ServerEntry] = field(init=False, repr=False, compare=False)
    servers_by_system: Mapping[str, tuple[ServerEntry, ...]] = field(init=False, repr=False, compare=False)
    servers_by_institution: Mapping[str, tuple[ServerEntry, ...]] = field(init=False, repr=False, compare=False)
    hosts_by_key: Mapping[str, tuple[ServerEntry, ...]] = field(init=False, repr=False, compare=False)
    hosts_by_ip: Mapping[str, tuple[ServerEntry, ...]] = field(init=False, repr=False, compare=False)
    system_by_prefix: Mapping[str, str] = field(init=False, repr=False, compare=False)
    names: Mapping[str, tuple[Named, ...]] = field(init=False, repr=False, compare=False)
    name_lengths: Mapping[str, tuple[int, ...]] = field(init=False, repr=False, compare=False)
    order: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        systems = {entry.code: entry for entry in self.systems}
        known = [server for server in self.servers if server.system in systems]
        put = object.__setattr__  # a frozen dataclass fills its derived fields this way
        put(self, "system_by_code", systems)
        put(self, "server_by_name", {server.hostname: server for server in known})
        put(self, "servers_by_system", _group((server.system, server) for server in known))
        put(self, "servers_by_institution", _group((systems[server.system].institution, server) for server in known))
        put(self, "hosts_by_key", _group((ocr_key(server.hostname), server) for server in known))
        put(self, "hosts_by_ip", _group((server.ip, server) for server in known if server.ip))
        put(self, "system_by_prefix", _prefixes(known))
        put(self, "order", {server.hostname: index for index, server in enumerate(known)})
        names = _group(self._names(known))
        put(self, "names", {key: tuple(dict.fromkeys(found)) for key, found in names.items()})
        lengths: dict[str, set[int]] = defaultdict(set)
        for key in names:
            lengths[key[:2]].add(len(key))
        put(self, "name_lengths", {head: tuple(sorted(found, reverse=True)) for head, found in lengths.items()})

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Catalogue":
        """Build from {"institutions": [...], "systems": [...], "servers": [...]}; unknown keys are ignored.

        Raises KeyError for a row without one of its essential keys.
        """
        return cls(
            tuple(InstitutionEntry(row["code"], row["name"], tuple(row.get("aliases", ())))
                  for row in data["institutions"]),
            tuple(SystemEntry(row["code"], row["institution"], row["name"], tuple(row.get("aliases", ())))
                  for row in data["systems"]),
            tuple(ServerEntry(row["hostname"], row["system"], row["role"], int(row["number"]), row.get("ip", ""),
                              tuple(row.get("aliases", ()))) for row in data["servers"]),
        )  # fmt: skip

    def _names(self, servers: list[ServerEntry]) -> Iterable[tuple[str, Named]]:
        for institution in self.institutions:
            for name in (institution.name, *institution.aliases):
                yield from _named(name, Named("institution", institution.code))
        for system in self.systems:
            for name in (system.name, system.code, *system.aliases):
                yield from _named(name, Named("system", system.code))
        for server in servers:
            for alias in server.aliases:
                if not REGULAR_HOST_ALIAS.search(name_key(alias)):  # "… was1" is left to the number rules
                    yield from _named(alias, Named("server", server.hostname))


def _named(name: str, target: Named) -> Iterable[tuple[str, Named]]:
    key = name_key(name)
    if len(key) >= 2:
        yield key, target


def _group(pairs: Iterable[tuple[str, Any]]) -> dict[str, tuple[Any, ...]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return {key: tuple(values) for key, values in found.items()}


def _prefixes(servers: list[ServerEntry]) -> dict[str, str]:
    """Hostname without role and number → system, where that is unambiguous; tells whose unknown host is meant."""
    owners: dict[str, set[str]] = defaultdict(set)
    for server in servers:
        prefix = re.sub(r"-?(?:was|web|db|batch|lb)-?\d+$", "", server.hostname.lower())
        if prefix and prefix != server.hostname.lower():
            owners[ocr_key(prefix)].add(server.system)
    return {prefix: next(iter(codes)) for prefix, codes in owners.items() if len(codes) == 1}
