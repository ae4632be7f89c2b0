"""Which saved values a list of operations gives and needs. Pure.

A saved value is kept at once, before the next operation. Since values are saved before the first change, a missing one
tells that a list of operations, begun by a worker that died, has changed nothing yet.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from execution.steps.ops import Op


def saved_by(ops: Iterable[Op]) -> set[str]:
    """Names that the operations save."""
    return {op["save"] for op in ops if op["op"] == "exec" and "save" in op}


def asked_by(op: Op) -> set[str]:
    """Names that one operation needs, in its command or its expectation."""
    if op["op"] not in ("exec", "reconnect"):
        return set()
    parts = [*op["argv"], op["expect"].get("equals", ""), op["expect"].get("differs", "")]
    return {part["saved"] for part in parts if not isinstance(part, str)}


def missing(ops: Iterable[Op], saved: Collection[str]) -> set[str]:
    """Names that the operations need, don't save themselves beforehand, and that nobody has saved."""
    known, unknown = set(saved), set()
    for op in ops:
        unknown |= asked_by(op) - known
        known |= saved_by([op])
    return unknown


def was_idle(ops: Iterable[Op], saved: Collection[str]) -> bool:
    """Whether operations that were begun have certainly changed nothing: they had not yet saved what they save."""
    return not saved_by(ops) <= set(saved)


def without(saved: Mapping[str, Any], ops: Iterable[Op]) -> dict[str, Any]:
    """What is left of the saved values when operations begin that save some of them anew."""
    fresh = saved_by(ops)
    return {name: value for name, value in saved.items() if name not in fresh}


def repeated(ops: Iterable[Op], saved: Collection[str]) -> list[Op]:
    """The operations of a second attempt: what the first one saved is kept, because the host has moved on since."""
    return [op for op in ops if not (op["op"] == "exec" and op.get("save") in set(saved))]
