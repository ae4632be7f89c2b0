"""How a rollout goes, as a playbook says it and as the frozen plan keeps it. Pure.

Sizes are a number of hosts ("1", "50") or a share ("10%").
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BY = ("hosts", "groups", "pairs", "tier")
GATES = ("automatic", "manual")
#: What goes back when more hosts failed than is tolerated: they alone, their wave, or everything the run has changed.
SCOPES = ("host", "wave", "run")
_CRITICAL = 1
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Strategy:
    """The strategy block. `batches` are sizes; `groups` and `tier` are 0 where `by` doesn't ask for them; `bake` is in
    seconds. How waves are made of it: `execution.plan.waves`."""

    batches: tuple[str, ...] = ()
    by: str = "hosts"
    groups: int = 0
    tier: int = 0
    tolerate_wave: str = "0"
    tolerate_run: str = "0"
    bake: int = 0
    gate: str = "automatic"
    rollback: str = "wave"

    def document(self) -> dict[str, Any]:
        """As it stands in a plan."""
        return {
            "by": self.by,
            **({"batches": list(self.batches)} if self.batches else {}),
            **({"groups": self.groups} if self.groups else {}),
            **({"tier": self.tier} if self.tier else {}),
            "tolerate": {"wave": self.tolerate_wave, "run": self.tolerate_run},
            "bake": self.bake,
            "gate": self.gate,
            "rollback": self.rollback,
        }

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Strategy":
        """The one a plan was made with; plans from before there were strategies have the plainest one."""
        found = dict(content.get("strategy") or {"batches": ["100%"]})
        tolerate = found.pop("tolerate", {"wave": "0", "run": "0"})
        batches = tuple(found.pop("batches", ()))
        return cls(batches=batches, tolerate_wave=tolerate["wave"], tolerate_run=tolerate["run"], **found)

    def tolerated_in_wave(self, tiers: Collection[int]) -> int:
        """How many hosts of a wave with these tiers, one for each host, may fail without stopping the run. Never all of
        them (a canary that fails has told enough), and none beside a critical site, whatever the playbook says."""
        if _CRITICAL in tiers:
            return 0
        return min(size_of(self.tolerate_wave, len(tiers), is_rounded_up=False), max(0, len(tiers) - 1))

    def tolerated_in_all(self, hosts: int) -> int:
        """The same over all waves."""
        return size_of(self.tolerate_run, hosts, is_rounded_up=False)


def parse_size(text: str, *, least: int = 1) -> tuple[int, bool]:
    """(number, is percent). Raises ValueError for what is neither a number of hosts nor a share."""
    is_share = text.endswith("%")
    number = text.removesuffix("%")
    if not number.isascii() or not number.isdigit() or not least <= int(number) <= (100 if is_share else _MOST):
        raise ValueError(f"“{text}” is neither a number of hosts nor a share")
    return int(number), is_share


def size_of(text: str, total: int, *, is_rounded_up: bool) -> int:
    """A size as a number of hosts."""
    number, is_share = parse_size(text, least=0)
    if not is_share:
        return number
    return -(-total * number // 100) if is_rounded_up else total * number // 100


def batch_sizes(batches: Sequence[str], total: int) -> list[int]:
    return [size_of(batch, total, is_rounded_up=True) for batch in batches]
