"""The labelled samples and the catalogues that the parsing tests share."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from tickets.parsing.catalogue import Catalogue, InstitutionEntry, ServerEntry, SystemEntry

DATA = Path(__file__).parent / "data"


@cache
def sample_catalogue() -> Catalogue:
    return Catalogue.from_json(json.loads((DATA / "cmdb.json").read_text(encoding="utf-8")))


def samples(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


@cache
def large_catalogue(servers: int = 10_000, per_system: int = 5) -> Catalogue:
    """So many invented hosts, five to a system, twenty systems to an institution."""
    count = servers // per_system
    institutions = tuple(InstitutionEntry(f"I{i}", f"제{i}기관청", (f"제{i}기관",)) for i in range(count // 20))
    systems = tuple(
        SystemEntry(f"S{i}", f"I{i // 20}", f"업무{i}관리시스템", (f"업무{i}시스템", f"업무{i}")) for i in range(count)
    )
    roles = (("web", 1), ("web", 2), ("was", 1), ("was", 2), ("db", 1))
    hosts = tuple(
        ServerEntry(f"s{i}-{role}-{number:02}", f"S{i}", role, number, f"10.{i // 250}.{i % 250}.{at + 1}")
        for i in range(count)
        for at, (role, number) in enumerate(roles)
    )
    return Catalogue(institutions, systems, hosts)
