from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum

from accounts.models import User
from audit.chain import genesis
from audit.checkpoint_keys import destroy_key, first_key, make_key, private_key
from audit.merkle import Frontier
from audit.models import Chain, Checkpoint, SealedChain
from audit.seal import FORMAT, NO_PREVIOUS, Head, Sealed, heads_root, read_line, seal
from audit.services.record import record
from guardia.common.canonical import moment_text
from guardia.common.clock import now
from guardia.common.signing import key_id

_LOCK = 0x7365616C  # one advisory lock: one checkpoint at a time
#: Entries that no checkpoint has seen yet, in order, of all chains in one pass.
_NEW = """
SELECT e.chain_id, e.number, e.prev_hash, e.hash FROM audit_entry e JOIN audit_chain c ON c.id = e.chain_id
LEFT JOIN audit_sealedchain s ON s.chain_id = c.id
WHERE e.number > coalesce(s.length, 0) AND e.number <= c.head_number AND c.head_number > coalesce(s.length, 0)
ORDER BY e.chain_id, e.number
"""


def checkpoint_if_due() -> Checkpoint | None:
    """Seal when an hour or 1,000 entries have passed since the last one, whichever is first (both are settings).

    A clock that was set back counts as an hour passed: waiting for it to catch up would leave the day unsealed.
    """
    last = Checkpoint.objects.order_by("number").last()
    entries = Chain.objects.aggregate(entries=Sum("head_number"))["entries"] or 0
    if last is not None:
        age = now() - last.made_at
        is_time = not timedelta() <= age < timedelta(minutes=settings.GUARDIA_CHECKPOINT_MINUTES)
        is_full = entries - last.entries >= settings.GUARDIA_CHECKPOINT_ENTRIES
        if entries <= last.entries or not (is_time or is_full):
            return None
        return make_checkpoint(reason="count" if is_full else "time")
    return make_checkpoint(reason="first") if entries else None


@transaction.atomic
def make_checkpoint(*, reason: str, actor: User | str = "guardia", rotate: bool = False) -> Checkpoint:
    """Sign the heads of all chains; with `rotate`, name a new key that is in force from the next checkpoint on.

    One that was asked for is an entry itself. Chains that don't go on from what was sealed stay as they were sealed:
    verification names what happened to them. Raises SealKeyMissing.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    if reason in ("asked", "rotation"):
        record(action="checkpoint.asked", actor=actor, institution=None, reason=reason)
    row = Checkpoint.objects.order_by("number").last()
    before = read_line(row.line) if row else None
    public = _key_in_force(before)
    heads = _heads()
    next_key = make_key(is_first=False) if rotate else None
    document = {
        "format": FORMAT,
        "number": before.number + 1 if before else 1,
        "previous": before.digest() if before else NO_PREVIOUS,
        "made_at": moment_text(now()),
        "reason": reason,
        "key_id": key_id(public),
        "next_key": {"key_id": key_id(next_key), "public_key": next_key} if next_key else None,
        "root": heads_root(heads),
        "chains": len(heads),
    }
    checkpoint = _store(seal(document, heads, private_key(public)))
    if rotate:
        transaction.on_commit(lambda: destroy_key(public))
    return checkpoint


def key_of(sealed: Sealed | None) -> str:
    """The public key for the checkpoint after this one, where it is named there; empty otherwise."""
    return sealed.document["next_key"]["public_key"] if sealed and sealed.document["next_key"] else ""


def _key_in_force(before: Sealed | None) -> str:
    if before is None:
        return first_key() or make_key(is_first=True)
    rotations = Checkpoint.objects.filter(reason="rotation").order_by("number").last()
    return key_of(read_line(rotations.line)) if rotations else first_key()


def _heads() -> list[Head]:
    """Every chain with its entries, hash and tree root; what was sealed before grows on from its subtree roots."""
    sealed = {row.chain_id: row for row in SealedChain.objects.select_related("chain")}
    chains = {chain.pk: chain for chain in Chain.objects.all()}
    grown = {pk: _Growing(chain, sealed.get(pk)) for pk, chain in chains.items()}
    with connection.cursor() as cursor:
        cursor.execute(_NEW)
        while rows := cursor.fetchmany(5000):
            for pk, number, prev_hash, digest in rows:
                if pk in grown:
                    grown[pk].add(number, prev_hash, digest)
    for chain in grown.values():
        chain.keep()
    return [chain.head() for chain in grown.values() if chain.frontier.size]


class _Growing:
    def __init__(self, chain: Chain, sealed: SealedChain | None) -> None:
        self.chain, self.sealed, self.goes_on = chain, sealed, True
        self.hash = sealed.head_hash if sealed else genesis(chain.key)
        self.frontier = Frontier.from_text(sealed.length, sealed.frontier) if sealed else Frontier()

    def add(self, number: int, prev_hash: str, digest: str) -> None:
        self.goes_on = self.goes_on and number == self.frontier.size + 1 and prev_hash == self.hash
        if self.goes_on:
            self.frontier.add(bytes.fromhex(digest))
            self.hash = digest

    def head(self) -> Head:
        return Head(self.chain.key, self.frontier.size, self.hash, self.frontier.root().hex())

    def keep(self) -> None:
        if self.frontier.size > (self.sealed.length if self.sealed else 0):
            values: dict[str, Any] = {
                "length": self.frontier.size,
                "head_hash": self.hash,
                "frontier": self.frontier.to_text(),
            }
            SealedChain.objects.update_or_create(chain=self.chain, defaults=values)


def _store(sealed: Sealed) -> Checkpoint:
    document = sealed.document
    return Checkpoint.objects.create(
        number=sealed.number,
        made_at=document["made_at"],
        key_id=document["key_id"],
        entries=sum(head.length for head in sealed.heads.values()),
        reason=document["reason"],
        digest=sealed.digest(),
        line=sealed.line,
    )
