"""The way back: which steps to undo, in which order, and how to see afterwards that all is well. Pure."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from execution.steps.ops import Op, Step
from execution.steps.saving import asked_by

#: Steps at the balancers. A host is seen to be well before they let requests in again, and stays out where it isn't.
BALANCING = frozenset(("drain", "undrain", "drain_haproxy", "undrain_haproxy", "drain_nginx", "undrain_nginx"))
OUT = frozenset(name for name in BALANCING if name.startswith("drain"))


def undo_order(steps: Sequence[Step], begun: Collection[int], *, stays_drained: bool = False) -> list[int | None]:
    """Positions of the steps that were begun and have an undo, last first; None is the look whether the host is well,
    after which it is put back where it was taken out, unless it is to stay out."""
    back = [order for order in range(len(steps) - 1, -1, -1) if order in begun and steps[order]["undo"]]
    return [
        *(order for order in back if steps[order]["name"] not in OUT),
        None,
        *(order for order in back if steps[order]["name"] in OUT and not stays_drained),
    ]


def drains(steps: Sequence[Step], begun: Collection[int]) -> bool:
    """Whether the host was taken out of a balancer, or that was begun."""
    return any(steps[order]["name"] in OUT for order in begun)


def touched(steps: Sequence[Step], begun: Collection[int]) -> bool:
    """Whether any step that changes a host was begun."""
    return any(steps[order]["changes"] for order in begun)


def recheck_ops(steps: Sequence[Step], begun: Collection[int], saved: Mapping[str, Any]) -> list[Op]:
    """What tells that a rolled-back host is well: the checks that stand after the playbook's last change on it.

    Left out are those that look at what came after a restart where nothing was restarted (nothing was saved).
    """
    if not touched(steps, begun):
        return []
    last_change = max(
        (order for order, step in enumerate(steps) if step["changes"] and step["name"] not in BALANCING), default=-1
    )
    ops = [op for step in steps[last_change + 1 :] if not step["changes"] for op in step["apply"]]
    return [op for op in ops if asked_by(op) <= set(saved)]
