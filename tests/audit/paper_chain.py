"""Chains, checkpoints and forgeries as values: thousands of them, seen by both verifiers without a database between."""

import importlib.util
import json
import re
from collections.abc import Generator, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from audit.chain import SEED_FIELDS, body_of, entry_hash, genesis
from audit.merkle import root_of
from audit.seal import Head, heads_root, read_line, seal, walk_checkpoints
from audit.verifying.all_chains import anchors_of
from audit.verifying.one_chain import Reached, StoredHead, verify_chain
from audit.verifying.parts import Part, part_of, ranges
from audit.verifying.rows import Row
from guardia.common.canonical import canonical_bytes
from guardia.common.signing import key_id, new_key, public_key

KEY = "institution:PAPER"
Entry = dict[str, Any]
Verdict = tuple[str, int, str] | None
_PART_SIZE = 1_000
_ESCAPES = {b"\\": b"\\\\", b"\b": b"\\b", b"\f": b"\\f", b"\n": b"\\n", b"\r": b"\\r", b"\t": b"\\t", b"\v": b"\\v"}


def line_of(row: Row) -> bytes:
    """As PostgreSQL's COPY writes it (its documentation, “Text Format”)."""
    escaped = (re.sub(rb"[\\\b\f\n\r\t\v]", lambda match: _ESCAPES[match[0]], value) for value in row)
    return b"\t".join(escaped) + b"\n"


@cache
def tool() -> ModuleType:
    """`tools/verify_audit.py`, which no package knows."""
    path = Path(__file__).resolve().parents[2] / "tools" / "verify_audit.py"
    spec = importlib.util.spec_from_file_location("verify_audit", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def entry(number: int, prev_hash: str, key: str = KEY, summary: str = "") -> Entry:
    columns = {
        "recorded_at": f"2026-11-21T04:{number // 60 % 60:02}:{number % 60:02}.000123Z",
        "action": f"test.act{number % 3}",
        "actor": f"tester {number % 2}",
        "task_id": f"OPS-20261121-{number:03}",
        "object_type": "opstask",
        "object_id": str(number),
    }
    texts = dict.fromkeys(("object", "source_ip", "channel", "run_id"), "")
    told = {**texts, **SEED_FIELDS, "summary": summary or f'{number}번째\t"일"', "facts": {"n": number}}
    facts = {**columns, **told, "personal": {"key": "k", "sealed": f"{number}"} if number % 2 else None}
    body = body_of(chain=key, number=number, prev_hash=prev_hash, facts=facts)
    return {"number": number, "prev_hash": prev_hash, **columns, "body": body.decode(), "hash": entry_hash(body)}


def resealed(old: Entry, **changes: Any) -> Entry:
    """The entry with another body, and the hash and columns that go with it."""
    body = {**json.loads(old["body"]), **changes}
    text = canonical_bytes(body)
    columns = {name: body[name] for name in old if name in body and name != "number"}
    return {**old, **columns, "body": text.decode(), "hash": entry_hash(text)}


def make_entries(length: int, key: str = KEY) -> list[Entry]:
    entries, before = [], genesis(key)
    for number in range(1, length + 1):
        entries.append(entry(number, before, key))
        before = entries[-1]["hash"]
    return entries


def relinked(entries: list[Entry], start: int) -> None:
    """Number and hash everything from index `start` on anew: what a forger with time does."""
    before = entries[start - 1]["hash"] if start else genesis(KEY)
    for at in range(start, len(entries)):
        entries[at] = {**resealed(entries[at], number=at + 1, prev_hash=before), "number": at + 1}
        before = entries[at]["hash"]


@dataclass
class Book:
    """One chain with its head, and the checkpoints over it."""

    entries: list[Entry]
    checkpoints: list[str] = field(default_factory=list)
    head: tuple[int, str] = (0, "")
    promised: int = 0
    first_key: str = ""
    private: str = ""

    @classmethod
    def made(cls, length: int, sealed_at: list[int]) -> "Book":
        private = new_key()
        book = cls(make_entries(length), private=private, first_key=public_key(private))
        for at in sealed_at:
            book.seal(at)
        book.fit_head()
        book.promised = len(sealed_at)
        return book

    def seal(self, length: int, private: str = "", number: int = 0) -> None:
        private = private or self.private
        before = read_line(self.checkpoints[-1]) if self.checkpoints else None
        leaves = [bytes.fromhex(entry["hash"]) for entry in self.entries[:length]]
        heads = [Head(KEY, length, self.entries[length - 1]["hash"], root_of(leaves).hex())]
        document = {
            "format": 1,
            "number": number or len(self.checkpoints) + 1,
            "previous": before.digest() if before else "0" * 64,
            "made_at": "2026-11-21T05:00:00.000000Z",
            "reason": "time",
            "key_id": key_id(public_key(private)),
            "next_key": None,
            "root": heads_root(heads),
            "chains": 1,
        }
        self.checkpoints.append(seal(document, heads, private).line)

    def fit_head(self) -> None:
        last = self.entries[-1] if self.entries else None
        self.head = (len(self.entries), last["hash"] if last else genesis(KEY))

    def copy(self) -> "Book":
        return deepcopy(self)

    def rows(self, after: int | None, upto: int | None = None) -> Iterator[Row]:
        for one in sorted(self.entries, key=lambda one: one["number"]):
            if (after is None or one["number"] > after) and (upto is None or one["number"] <= upto):
                yield Row(*(str(one[name]).encode() for name in Row._fields))

    def parts(self, after: int, upto: int) -> Generator[Part | None]:
        for one in ranges(0, KEY, after, upto, _PART_SIZE):
            yield part_of(one, map(line_of, list(self.rows(one.after, one.upto))))

    def hash_of(self, number: int) -> str | None:
        return next((one["hash"] for one in self.entries if one["number"] == number), None)

    def said_by_product(self) -> list[Verdict]:
        """(checkpoints, chain): the first fault of each."""
        walk = walk_checkpoints(self.checkpoints, self.first_key)
        fault = walk.fault and (walk.fault.chain, walk.fault.number, walk.fault.kind)
        if fault is None and len(walk.good) < self.promised:
            fault = ("checkpoints", len(walk.good) + 1, "missing_checkpoint")
        report = verify_chain(StoredHead(KEY, *self.head), self, anchors_of(walk.good).get(KEY, []))
        return [fault, report.fault and (report.fault.chain, report.fault.number, report.fault.kind)]

    def said_by_tool(self) -> list[Verdict]:
        chain = {"type": "chain", "key": KEY, "head_number": self.head[0], "head_hash": self.head[1]}
        manifest = {"type": "manifest", "format": "guardia-export-1", "is_all": True, "chains": [KEY]}
        lines = [
            {**manifest, "checkpoints": self.promised, "first_key": self.first_key},
            *({"type": "checkpoint", "line": line} for line in self.checkpoints),
            chain,
            *({"type": "entry", **one} for one in sorted(self.entries, key=lambda one: one["number"])),
            {"type": "end", "entries": len(self.entries)},
        ]
        found = tool().verify(map(json.dumps, lines), self.first_key, [])["faults"]
        said = {fault["chain"]: (fault["chain"], fault["number"], fault["kind"]) for fault in found}
        return [said.get("checkpoints"), said.get(KEY)]


class Window:
    """A few entries of a long chain; those before them count as found sound."""

    def __init__(self, entries: list[Entry], hashes: bytes, start: int, end: int) -> None:
        self.start, self.entries, self._hashes = start, entries[start:end], hashes[: 32 * start]
        self._head = (end, entries[end - 1]["hash"])

    def hash_of(self, number: int) -> str | None:
        stored = (one["hash"] for one in self.entries if one["number"] == number)
        return self._hash_at(number) if number <= self.start else next(stored, None)

    def _hash_at(self, number: int) -> str:
        return self._hashes[32 * number - 32 : 32 * number].hex() if number else genesis(KEY)

    def rows(self, after: int | None, upto: int | None = None) -> Iterator[Row]:
        before = {"number": self.start, "hash": self._hash_at(self.start)}
        sound = [dict.fromkeys(Row._fields, "") | before] if self.start else []
        return Book([*sound, *self.entries]).rows(after, upto)

    def parts(self, after: int, upto: int) -> Generator[Part | None]:
        return Book(self.entries).parts(after, upto)

    def said_by_product(self) -> Verdict:
        reached = Reached(self.start, self._hash_at(self.start)) if self.start else None
        fault = verify_chain(StoredHead(KEY, *self._head), self, [], reached).fault
        return fault and (fault.chain, fault.number, fault.kind)

    def said_by_tool(self) -> Verdict:
        chain = tool().Chain({"key": KEY, "head_number": self._head[0], "head_hash": self._head[1]}, {})
        chain.hashes += self._hashes
        chain.sound = self.start
        for one in sorted(self.entries, key=lambda one: one["number"]):
            chain.take(one)
        return chain.end()  # type: ignore[no-any-return]


def changed(value: Any, dice: Random) -> Any:
    if isinstance(value, int):
        return value + 100_000
    at = dice.randrange(len(value)) if value else 0
    return value[:at] + ("0" if value[at : at + 1] != "0" else "1") + value[at + 1 :]
