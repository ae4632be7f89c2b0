"""Targets × strategy → waves. Pure.

* by hosts: each batch takes as many, the last one is repeated until no host is left.
* by groups: as many waves as there are groups, of equal size; by pairs: two hosts at a time.
* by tier: the batches but the last go through the chosen tier (the canary is a part of it), the last of them again and
  again; then the last batch goes through each other tier. No wave mixes tiers.

Sites whose failure hurts least go first. Three rules come on top of any strategy and may make more waves: every host is
in exactly one; of a redundancy group a wave takes at most half (at least one node); of the hosts of critical sites at
most a tenth (at least one).
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from execution.playbooks.strategy import Strategy, batch_sizes

_CRITICAL = 1
#: Critical sites roll out slowly: the divisor of the largest part of their hosts in one wave.
_SLOWLY = 10


@dataclass(frozen=True, slots=True)
class Candidate:
    """`tier` 1 is the most critical; `group` is empty for a host that stands alone."""

    hostname: str
    tier: int
    group: str


def plan_waves(candidates: Iterable[Candidate], strategy: Strategy) -> list[list[str]]:
    """Hostnames of each wave, in order."""
    hosts = sorted(candidates, key=lambda host: (-host.tier, host.hostname))
    counts = Counter(bound for host in hosts for bound in _bounds(host))
    most = {
        bound: max(1, -(-count // _SLOWLY) if bound == _CRITICAL else count // 2) for bound, count in counts.items()
    }
    waves = []
    for part, sizes in _parts(hosts, strategy):
        left, following = deque(part), deque(sizes)
        while left:
            size = following.popleft() if len(following) > 1 else following[0]
            waves.append(_fill(left, size, most))
    return waves


def _parts(hosts: list[Candidate], strategy: Strategy) -> Iterator[tuple[list[Candidate], list[int]]]:
    """Hosts that go one part after the other, each with the sizes of its waves; the last size is repeated."""
    if strategy.by == "tier":
        yield from _by_tier(hosts, strategy)
    elif strategy.by == "groups":
        each, more = divmod(len(hosts), strategy.groups)
        yield hosts, [each + (number < more) for number in range(min(strategy.groups, len(hosts)))]
    elif strategy.by == "pairs":
        yield hosts, [2]
    else:
        yield hosts, batch_sizes(strategy.batches, len(hosts))


def _by_tier(hosts: list[Candidate], strategy: Strategy) -> Iterator[tuple[list[Candidate], list[int]]]:
    tiers = sorted({host.tier for host in hosts}, reverse=True)
    chosen = strategy.tier if strategy.tier in tiers else next(iter(tiers), 0)
    for tier in [chosen, *(tier for tier in tiers if tier != chosen)]:
        members = [host for host in hosts if host.tier == tier]
        batches = (strategy.batches[:-1] or strategy.batches) if tier == chosen else strategy.batches[-1:]
        yield members, batch_sizes(batches, len(members))


def _fill(left: deque[Candidate], size: int, most: dict[str | int, int]) -> list[str]:
    """Take the next wave from what is left; whom a bound keeps out stays in front."""
    wave: list[str] = []
    passed: list[Candidate] = []
    taken: Counter[str | int] = Counter()
    while left and len(wave) < size:
        host = left.popleft()
        bounds = _bounds(host)
        if all(taken[bound] < most[bound] for bound in bounds):
            wave.append(host.hostname)
            taken.update(bounds)
        else:
            passed.append(host)
    left.extendleft(reversed(passed))
    return wave


def _bounds(host: Candidate) -> list[str | int]:
    """What the host shares a bound with: the nodes of its group, the critical sites."""
    return [*([host.group] if host.group else []), *([_CRITICAL] if host.tier == _CRITICAL else [])]
