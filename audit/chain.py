"""The arithmetic of the chain: pure, so that it can be re-implemented from `docs/audit-format.md`."""

import hashlib
from typing import Any

from guardia.common.canonical import canonical_bytes

FORMAT = 3
#: What an act did to a server: fields of their own since format 2, taken out of the facts. Unknown: empty, or null.
SEED_FIELDS: dict[str, Any] = {
    "system": "",
    "server": "",
    "step": "",
    "commands": [],
    "result_code": None,
    "output_sha256": "",
}
_COMMON = frozenset(
    {"format", "chain", "number", "prev_hash", "recorded_at", "action", "actor", "task_id", "object_type", "object_id"}
    | {"object", "summary", "source_ip", "channel", "run_id", "facts"}
)
#: format → the fields of a body, all of them always there.
FIELDS = {
    1: _COMMON,
    2: _COMMON | frozenset(SEED_FIELDS),
    3: _COMMON | frozenset(SEED_FIELDS) | {"personal"},  # null, or the key's id and what is sealed (audit.personal)
}
_LEAF = b"\x00"
_GATEWAY = "gateway:"


def gateway_chain(name: str) -> str:
    """The key of the chain that a gateway keeps; `name` is `<institution>/<code>`."""
    return _GATEWAY + name


def scope_of(key: str) -> str:
    """Whose executions a break in the chain concerns: `institution:<code>`, its gateways' too; empty: everybody's."""
    if key.startswith(_GATEWAY):
        return "institution:" + key.removeprefix(_GATEWAY).rpartition("/")[0]
    return key if key.startswith("institution:") else ""


def genesis(chain_key: str) -> str:
    """What stands before the first entry: no two chains begin alike, so an entry can't move between them."""
    return hashlib.sha256(_LEAF + b"guardia-chain-1\x00" + chain_key.encode()).hexdigest()


def entry_hash(body: bytes) -> str:
    """SHA-256 over 0x00 (leaf) and the canonical body, which holds the previous hash."""
    return hashlib.sha256(_LEAF + body).hexdigest()


def body_of(*, chain: str, number: int, prev_hash: str, facts: dict[str, Any]) -> bytes:
    """The canonical body of an entry: its place in the chain and what it tells."""
    return canonical_bytes({"format": FORMAT, "chain": chain, "number": number, "prev_hash": prev_hash, **facts})
