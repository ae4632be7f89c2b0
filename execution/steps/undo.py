"""The way back: which steps to undo, in which order, and how to see afterwards that all is well. Pure."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from execution.steps.ops import Op, Step
from execution.steps.saving import asked_by


def undo_order(steps: Sequence[Step], begun: Collection[int]) -> list[int]:
    """Positions of the steps that were begun and have an undo, last first."""
    return [order for order in range(len(steps) - 1, -1, -1) if order in begun and steps[order]["undo"]]


def touched(steps: Sequence[Step], begun: Collection[int]) -> bool:
    """Whether any step that changes a host was begun."""
    return any(steps[order]["changes"] for order in begun)


def recheck_ops(steps: Sequence[Step], begun: Collection[int], saved: Mapping[str, Any]) -> list[Op]:
    """What tells that a rolled-back host is well: the checks that stand after the playbook's last change.

    Left out are those that look at what came after a restart where nothing was restarted (nothing was saved).
    """
    if not touched(steps, begun):
        return []
    last_change = max(order for order, step in enumerate(steps) if step["changes"])
    ops = [op for step in steps[last_change + 1 :] for op in step["apply"]]
    return [op for op in ops if asked_by(op) <= set(saved)]
