"""The entries that a report is about: those the reader may see (`audit.selectors`), of its institution and its days."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import islice
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Institution, User
from accounts.scope import people_visible_to
from audit.act_words import act_words
from audit.chain import scope_of
from audit.models import SYSTEM_CHAIN, Chain, Entry, Report
from audit.reading import Part, may_read_personal, told
from audit.reports.document import Value
from audit.selectors import chains_visible_to
from guardia.common.canonical import moment_text
from guardia.common.masking import mask_all

_CHUNK = 2000
#: What people did; the program's own acts aren't theirs.
BY_PEOPLE = Q(actor__startswith="user:") | Q(actor="stranger") | Q(actor__startswith="console:")


def period_of(report: Report) -> tuple[datetime, datetime]:
    """The first moment of the first day, and the one after the last, where the users are."""
    zone = timezone.get_default_timezone()
    first = datetime.combine(report.since, time(), zone)
    return first, datetime.combine(report.until + timedelta(days=1), time(), zone)


def chains_of(report: Report) -> list[Chain]:
    """The chains that whoever ordered the report may see; of its institution alone, its gateways' included."""
    chains = chains_visible_to(report.requested_by).order_by("key")
    if report.institution is None:
        return list(chains)
    scope = f"institution:{report.institution.code}"
    return [chain for chain in chains if scope_of(chain.serves) == scope]


def entries_of(report: Report) -> QuerySet[Entry]:
    """Entries of the report's chains and days. For one institution also what the system's chain tells of the accounts
    of its people: their log-ins are there, and nowhere else."""
    begins, ends = period_of(report)
    chains = chains_of(report)
    belongs = Q(chain__in=chains)
    if report.institution is not None:
        system = Chain.objects.filter(Q(key=SYSTEM_CHAIN) | Q(scope=SYSTEM_CHAIN))
        people = people_visible_to(report.requested_by).filter(memberships__institution=report.institution)
        left = Entry.objects.filter(chain__in=chains, action="role.ended", object_type="user", recorded_at__gte=begins)
        keys = {str(key) for key in people.values_list("pk", flat=True)} | set(left.values_list("object_id", flat=True))
        belongs |= Q(chain__in=system, object_type="user", object_id__in=keys)
    return Entry.objects.filter(belongs, recorded_at__gte=begins, recorded_at__lt=ends)


@dataclass(frozen=True, slots=True)
class Told:
    """One entry as a report tells it. Values come from its body; where that can't be read, from the columns. Reports
    leave the house: telephone numbers and e-mail addresses are hidden, whoever orders them."""

    pk: int
    chain: str
    number: int
    hash: str
    at: str
    action: str
    actor: str
    task_id: str
    object_type: str
    object_id: str
    object: str
    summary: str
    source_ip: str
    channel: str
    system: str
    server: str
    step: str
    result_code: int | None
    output_sha256: str
    facts: dict[str, Any]

    @property
    def result(self) -> str:
        """What happened, with the exit status where there is one."""
        return self.action if self.result_code is None else f"{self.action} {self.result_code}"


class Reader:
    """Entries as one person may read them: what they say of people is opened where that person may see it."""

    def __init__(self, user: User) -> None:
        self._user = user
        self._may: dict[int, bool] = {}

    def stream(self, entries: QuerySet[Entry]) -> Iterator[Told]:
        """In the order of the query; memory holds one chunk, and the server the rest."""
        rows = entries.select_related("chain").iterator(chunk_size=_CHUNK)
        while part := list(islice(rows, _CHUNK)):
            yield from self.read(part)

    def stream_keys(self, keys: Sequence[int]) -> Iterator[Told]:
        """The entries with these keys, in this order."""
        for start in range(0, len(keys), _CHUNK):
            part = list(keys[start : start + _CHUNK])
            found = Entry.objects.select_related("chain").in_bulk(part)
            yield from self.read([found[key] for key in part if key in found])

    def read(self, rows: Sequence[Entry]) -> Iterator[Told]:
        opened = [row for row in rows if _is_whole(row.body) and self._may_open(row.chain)]
        bodies = {row.pk: said for row, said in zip(opened, told(opened), strict=True)}
        for row in rows:
            found = bodies.get(row.pk)
            if found is None:
                body = json.loads(row.body) if _is_whole(row.body) else {}
                yield _tell(row, body, Part.SEALED if body.get("personal") else Part.NONE)
            else:
                yield _tell(row, found.body, found.part)

    def _may_open(self, chain: Chain) -> bool:
        if chain.pk not in self._may:
            self._may[chain.pk] = may_read_personal(self._user, chain)
        return self._may[chain.pk]


def _tell(entry: Entry, body: dict[str, Any], part: Part) -> Told:
    code, facts = body.get("result_code"), body.get("facts")
    return Told(
        pk=entry.pk,
        chain=entry.chain.key,
        number=entry.number,
        hash=entry.hash,
        at=moment_text(entry.recorded_at),
        action=entry.action,
        actor=entry.actor,
        task_id=entry.task_id,
        object_type=entry.object_type,
        object_id=entry.object_id,
        object=mask_all(_text(body, "object")),
        # What is sealed from this reader isn't told; what nobody can read any more is.
        summary=mask_all(_text(body, "summary")) if part in (Part.NONE, Part.OPEN, Part.SEALED) else f"[{part.label}]",
        source_ip=_text(body, "source_ip"),
        channel=_text(body, "channel"),
        system=_text(body, "system"),
        server=_text(body, "server"),
        step=_text(body, "step"),
        result_code=code if isinstance(code, int) else None,
        output_sha256=_text(body, "output_sha256"),
        facts=facts if isinstance(facts, dict) else {},
    )


def _is_whole(text: str) -> bool:
    """Somebody may have altered it: then it says nothing."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(body, dict) or not isinstance(body.get("facts"), dict):
        return False
    personal = body.get("personal")
    return personal is None or (
        isinstance(personal, dict) and isinstance(personal.get("key"), str) and isinstance(personal.get("sealed"), str)
    )


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name, "")
    return value if isinstance(value, str) else ""


def chain_words(key: Value) -> str:
    """`institution:MOEF` → MOEF, `gateway:MOEF/busan` → MOEF/busan."""
    kind, colon, name = str(key).partition(":")
    return name if colon and kind in ("institution", "gateway") else str(key)


def person_words(actor: Value) -> str:
    """`user:7:kim.site` → kim.site."""
    kind, _colon, rest = str(actor).partition(":")
    return rest.partition(":")[2] or str(actor) if kind == "user" else str(actor)


def result_words(result: Value) -> str:
    """`step.ok 0` in words."""
    action, _space, code = str(result).partition(" ")
    return f"{act_words(action)} ({code})" if code else act_words(action)


def institution_names() -> dict[str, str]:
    """Scope of a chain → the institution's name."""
    return {f"institution:{code}": name for code, name in Institution.objects.values_list("code", "name")}
