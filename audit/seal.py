"""Checkpoints as documents: pure. What they say, how they are signed, and whether a sequence of them holds.

A line is `{"document": …, "heads": …, "signature": …}` as canonical JSON; docs/audit-format.md specifies every byte.
The signature is over the document alone, which holds the root over the heads: one institution's heads can be shown with
their Merkle paths, and tell nothing of the others.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from audit.choices import FaultKind
from audit.merkle import inclusion_path, root_of
from guardia.common.canonical import canonical_bytes
from guardia.common.signing import is_signed, key_id, sign

FORMAT = 1
NO_PREVIOUS = "0" * 64
CHECKPOINTS = "checkpoints"  # what a fault names instead of a chain
_DOMAIN = b"guardia-checkpoint-1\x00"
_FIELDS = {"format", "number", "previous", "made_at", "reason", "key_id", "next_key", "root", "chains"}


@dataclass(frozen=True, slots=True)
class Head:
    """One chain as a checkpoint seals it."""

    key: str
    length: int
    head_hash: str
    tree_root: str

    def leaf(self) -> bytes:
        return hashlib.sha256(b"\x00" + canonical_bytes(self.to_list())).digest()

    def to_list(self) -> list[Any]:
        return [self.key, self.length, self.head_hash, self.tree_root]


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong in one chain, or in the checkpoints; up to `until` nothing can be told apart."""

    chain: str
    number: int
    kind: str
    detail: str
    until: int = 0


@dataclass(frozen=True, slots=True)
class Sealed:
    """One checkpoint of a line that could be read."""

    line: str
    document: dict[str, Any]
    heads: dict[str, Head]
    signature: str

    @property
    def number(self) -> int:
        return int(self.document["number"])

    def signed_bytes(self) -> bytes:
        return _DOMAIN + canonical_bytes(self.document)

    def digest(self) -> str:
        return hashlib.sha256(self.signed_bytes()).hexdigest()


def heads_root(heads: Iterable[Head]) -> str:
    """The Merkle root over all heads, in the order of their keys."""
    return root_of([head.leaf() for head in sorted(heads, key=lambda head: head.key)]).hex()


def seal(document: dict[str, Any], heads: Iterable[Head], private_pem: str) -> Sealed:
    """`document` signed; its root must be that of the heads."""
    signature = sign(private_pem, _DOMAIN + canonical_bytes(document))
    ordered = sorted(heads, key=lambda head: head.key)
    value = {"document": document, "heads": [head.to_list() for head in ordered], "signature": signature}
    return Sealed(canonical_bytes(value).decode(), document, {head.key: head for head in ordered}, signature)


def part_of(sealed: Sealed, keys: Collection[str]) -> str:
    """The checkpoint's line with these chains only, each with its Merkle path to the signed root."""
    ordered = list(sealed.heads.values())
    leaves = [head.leaf() for head in ordered]
    shown = [(at, head) for at, head in enumerate(ordered) if head.key in keys]
    value = {
        "document": sealed.document,
        "heads": [head.to_list() for _at, head in shown],
        "paths": [[at, [step.hex() for step in inclusion_path(leaves, at)]] for at, _head in shown],
        "signature": sealed.signature,
    }
    return canonical_bytes(value).decode()


def read_line(line: str) -> Sealed | None:
    """The checkpoint of a line; None where it is not a whole one, to the byte."""
    try:
        value = json.loads(line)
        if canonical_bytes(value) != line.encode() or set(value) != {"document", "heads", "signature"}:
            return None
        document, heads = value["document"], [Head(*row) for row in value["heads"]]
        keys = [head.key for head in heads]
        is_whole = (
            set(document) == _FIELDS
            and document["format"] == FORMAT
            and type(document["number"]) is int
            and all(type(head.length) is int and head.length > 0 for head in heads)
            and all(isinstance(text, str) for head in heads for text in (head.key, head.head_hash, head.tree_root))
            and keys == sorted(set(keys))
            and isinstance(value["signature"], str)
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return Sealed(line, document, dict(zip(keys, heads, strict=True)), value["signature"]) if is_whole else None


@dataclass(slots=True)
class Walk:
    """The checkpoints that hold, in order, the fault that ended the walk, and the key for the next one."""

    good: list[Sealed] = field(default_factory=list)
    fault: Fault | None = None
    key: str = ""

    @property
    def last(self) -> Sealed | None:
        return self.good[-1] if self.good else None


def walk_checkpoints(lines: Sequence[str], first_key: str) -> Walk:
    """Check the lines from the first checkpoint on; `first_key` is the public key trusted for it."""
    walk = Walk(key=first_key)
    for at, line in enumerate(lines):
        walk.fault = _fault(walk, line, lines[at + 1 :])
        if walk.fault is not None:
            break
        sealed = read_line(line)
        assert sealed is not None
        walk.good.append(sealed)
        if sealed.document["next_key"] is not None:
            walk.key = sealed.document["next_key"]["public_key"]
    return walk


def _fault(walk: Walk, line: str, rest: Sequence[str]) -> Fault | None:
    expected = len(walk.good) + 1

    def fault(kind: FaultKind, detail: str, number: int = expected) -> Fault:
        return Fault(CHECKPOINTS, number, kind.value, detail, number)

    sealed = read_line(line)
    if sealed is None:
        return fault(FaultKind.ALTERED, "the line is not a checkpoint")
    if sealed.number < expected:
        return fault(FaultKind.INSERTED, "the checkpoint is there twice", sealed.number)
    if sealed.number > expected:
        later = any(other is not None and other.number == expected for other in map(read_line, rest))
        kind = FaultKind.REORDERED if later else FaultKind.MISSING_CHECKPOINT
        return fault(kind, f"checkpoint {sealed.number} follows")
    is_ours = walk.key and sealed.document["key_id"] == key_id(walk.key)
    if not is_ours or not is_signed(walk.key, sealed.signed_bytes(), sealed.signature):
        return fault(FaultKind.BAD_SIGNATURE, "the key in force did not sign this checkpoint")
    if sealed.document["previous"] != (walk.last.digest() if walk.last else NO_PREVIOUS):
        return fault(FaultKind.REWRITTEN, "it does not follow the checkpoint before it")
    return _content_fault(walk.last, sealed)


def _content_fault(before: Sealed | None, sealed: Sealed) -> Fault | None:
    heads, number = sealed.heads, sealed.number
    if (sealed.document["root"], sealed.document["chains"]) != (heads_root(heads.values()), len(heads)):
        return Fault(CHECKPOINTS, number, FaultKind.ALTERED.value, "the root is not that of the heads", number)
    for key, old in (before.heads if before else {}).items():
        new = heads.get(key)
        if new is None or new.length < old.length or (new.length == old.length and new != old):
            detail = f"{key} is not what the checkpoint before said"
            return Fault(CHECKPOINTS, number, FaultKind.REWRITTEN.value, detail, number)
    next_key = sealed.document["next_key"]
    if next_key is not None and not _is_key(next_key):
        return Fault(CHECKPOINTS, number, FaultKind.ALTERED.value, "the next key is none", number)
    return None


def _is_key(value: Any) -> bool:
    try:
        return set(value) == {"key_id", "public_key"} and key_id(value["public_key"]) == value["key_id"]
    except (ValueError, TypeError, KeyError, AttributeError):
        return False
