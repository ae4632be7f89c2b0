"""Targets × pace → waves. Pure.

A pace is a list of batches: a number of hosts ("1", "50") or a share of all hosts ("10%", rounded up); the last one is
repeated until no host is left. Sites whose failure hurts least go first. Nodes of one redundancy group are never
down together: a wave takes at most half of a group (at least one node).
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from execution.playbooks.pace import parse_batches


@dataclass(frozen=True, slots=True)
class Candidate:
    """`tier` 1 is the most critical; `group` is empty for a host that stands alone."""

    hostname: str
    tier: int
    group: str


def plan_waves(candidates: Iterable[Candidate], batches: Sequence[str]) -> list[list[str]]:
    """Hostnames of each wave, in order; every candidate is in exactly one wave."""
    hosts = sorted(candidates, key=lambda host: (-host.tier, host.hostname))
    sizes = deque(_size(batch, len(hosts)) for batch in parse_batches(batches))
    at_once = {
        group: max(1, count // 2) for group, count in Counter(host.group for host in hosts if host.group).items()
    }
    waves: list[list[str]] = []
    while hosts:
        size = sizes.popleft() if len(sizes) > 1 else sizes[0]
        wave, hosts = _fill(hosts, size, at_once)
        waves.append(wave)
    return waves


def _size(batch: tuple[int, bool], total: int) -> int:
    number, is_share = batch
    return -(-total * number // 100) if is_share else number


def _fill(hosts: list[Candidate], size: int, at_once: dict[str, int]) -> tuple[list[str], list[Candidate]]:
    wave: list[str] = []
    left: list[Candidate] = []
    taken: Counter[str] = Counter()
    for host in hosts:
        if len(wave) < size and (not host.group or taken[host.group] < at_once[host.group]):
            wave.append(host.hostname)
            taken[host.group] += 1
        else:
            left.append(host)
    return wave, left
