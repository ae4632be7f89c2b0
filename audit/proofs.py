"""Proofs for outsiders: an entry is under a signed checkpoint, and one checkpoint's chain begins another's."""

from typing import Any

from audit.merkle import consistency_path, inclusion_path
from audit.models import Checkpoint, Entry
from audit.seal import Sealed, part_of, read_line
from guardia.common.errors import NotVisible

FORMAT = "guardia-proof-1"


def proof_of(entry: Entry, first_key: str) -> dict[str, Any]:
    """What `tools/verify_audit.py --proof` needs: the entry, its path to its chain's root, that chain's path to the
    signed root, and the checkpoints' own signatures. When an older checkpoint seals the chain too, the consistency of
    the two is part of it. Raises NotVisible while no checkpoint has seen the entry.
    """
    key = entry.chain.key
    sealing = _sealing(key, entry.number)
    if not sealing:
        raise NotVisible
    newest, oldest = sealing[-1], sealing[0]
    length, old = newest.heads[key].length, oldest.heads[key].length
    hashes = (
        Entry.objects.filter(chain=entry.chain, number__lte=length).order_by("number").values_list("hash", flat=True)
    )
    leaves = [bytes.fromhex(value) for value in hashes]
    return {
        "format": FORMAT,
        "chain": key,
        "number": entry.number,
        "body": entry.body,
        "path": [step.hex() for step in inclusion_path(leaves, entry.number - 1)],
        "checkpoint": part_of(newest, [key]),
        "older_checkpoint": part_of(oldest, [key]),
        "consistency": [step.hex() for step in consistency_path(leaves, old)],
        "keys": key_history(first_key),
    }


def key_history(first_key: str) -> list[dict[str, Any]]:
    """Every public key with the first checkpoint it may sign."""
    keys: list[dict[str, Any]] = [{"from": 1, "public_key": first_key}]
    for line in Checkpoint.objects.filter(reason="rotation").order_by("number").values_list("line", flat=True):
        sealed = read_line(line)
        if sealed is not None and sealed.document["next_key"]:
            keys.append({"from": sealed.number + 1, "public_key": sealed.document["next_key"]["public_key"]})
    return keys


def _sealing(key: str, number: int) -> list[Sealed]:
    """The oldest and the newest checkpoint that seal this entry."""
    rows = Checkpoint.objects.order_by("number")
    last = read_line(rows.last().line) if rows.exists() else None  # type: ignore[union-attr]  # there are some
    if last is None or key not in last.heads or last.heads[key].length < number:
        return []
    low, high = 1, last.number
    while low < high:  # lengths only grow
        middle = (low + high) // 2
        sealed = read_line(rows.get(number=middle).line)
        is_in = sealed is not None and key in sealed.heads and sealed.heads[key].length >= number
        low, high = (low, middle) if is_in else (middle + 1, high)
    first = read_line(rows.get(number=low).line)
    return [first, last] if first is not None else [last]
