"""Chains as one file of JSON Lines that `tools/verify_audit.py` reads: entries, checkpoints and the public key.

The order of its lines: `manifest`, `checkpoint`…, then for each chain `chain` and its `entry`…, and `end`.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.models import Institution, User
from accounts.scope import sees_everything, where_holding
from accounts.signals import acting_by_rank
from audit.chain import genesis, scope_of
from audit.checkpoint_keys import first_key
from audit.exceptions import ReasonNeeded
from audit.models import Chain
from audit.refusals import refusals_recorded
from audit.roles import READERS
from audit.seal import part_of
from audit.services.record import record
from audit.verifying.all_chains import checkpoint_lines
from audit.verifying.rows import Row, rows_between
from guardia.common.canonical import moment_text
from guardia.common.clock import now
from guardia.common.errors import NotPermitted

FORMAT = "guardia-export-1"


@dataclass(frozen=True, slots=True)
class Exported:
    sha256: str
    entries: int
    checkpoints: int


@refusals_recorded
def export_chains(*, actor: User, reason: str, out: IO[bytes]) -> Exported:
    """Write every chain that `actor` may export to `out`, in one snapshot; the export is an entry of each of them.

    Auditors, security officers and administrators. Who sees one institution gets its chains, with Merkle paths in
    place of the other institutions' heads. Raises NotPermitted, OutsideBastion, ReasonNeeded.
    """
    institutions = list(where_holding(Institution.objects.order_by("pk"), actor, READERS))
    if not reason.strip():
        raise ReasonNeeded
    if not institutions and not (sees_everything(actor) and _holds_everywhere(actor)):
        raise NotPermitted(_("Auditors, security officers and administrators export the chain."))
    is_all = _holds_everywhere(actor)
    for institution in [None] if is_all else institutions:
        acting_by_rank.send(User, actor=actor, institution=institution)
    if connection.in_atomic_block:
        exported = _write(out, actor, reason, institutions, is_all)
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            exported = _write(out, actor, reason, institutions, is_all)
    facts: dict[str, Any] = {
        "file_sha256": exported.sha256,
        "entries": exported.entries,
        "checkpoints": exported.checkpoints,
    }
    with transaction.atomic():
        for institution in [None] if is_all else institutions:
            record(action="chain.exported", actor=actor, institution=institution, summary=reason, **facts)
    return exported


def may_export(user: User) -> bool:
    return where_holding(Institution.objects.all(), user, READERS).exists() or _holds_everywhere(user)


def _holds_everywhere(user: User) -> bool:
    is_member = user.memberships.filter(role__in=READERS, institution=None).exists()
    return user.is_active and (user.is_superuser or is_member)


def _write(out: IO[bytes], actor: User, reason: str, institutions: list[Institution], is_all: bool) -> Exported:
    chains = Chain.objects.order_by("key")
    if not is_all:
        scopes = {f"institution:{institution.code}" for institution in institutions}
        chains = chains.filter(pk__in=[chain.pk for chain in chains if scope_of(chain.serves) in scopes])
    listed = list(chains)
    sealed = checkpoint_lines()
    manifest = {
        "type": "manifest",
        "format": FORMAT,
        "made_at": moment_text(now()),
        "actor": actor.get_username(),
        "reason": reason,
        "is_all": is_all,
        "chains": [chain.key for chain in listed],
        "checkpoints": len(sealed),
        "first_key": first_key(),
    }
    keys = {chain.key for chain in listed}
    lines = ((one.line if is_all else part_of(one, keys)) for one in sealed)
    digest, entries = hashlib.sha256(), 0
    checkpoints = ({"type": "checkpoint", "line": line} for line in lines)
    _put(out, digest, manifest)
    for value in checkpoints:
        _put(out, digest, value)
    for value in _chain_lines(listed):
        entries += value["type"] == "entry"
        _put(out, digest, value)
    _put(out, digest, {"type": "end", "entries": entries})
    return Exported(digest.hexdigest(), entries, len(sealed))


def _chain_lines(chains: Iterable[Chain]) -> Iterator[dict[str, Any]]:
    for chain in chains:
        head = {"head_number": chain.head_number, "head_hash": chain.head_hash, "genesis": genesis(chain.key)}
        yield {"type": "chain", "key": chain.key, **head}
        for row in rows_between(chain.pk, None):
            yield {"type": "entry", "number": int(row.number), **_texts(row)}


def _texts(row: Row) -> dict[str, str]:
    return {name: value.decode() for name, value in zip(Row._fields[1:], row[1:], strict=True)}


def _put(out: IO[bytes], digest: Any, value: dict[str, Any]) -> None:
    line = (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
    digest.update(line)
    out.write(line)
