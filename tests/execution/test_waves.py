"""Waves, as properties of any fleet under any strategy."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.plan.waves import Candidate, plan_waves
from execution.playbooks.strategy import Strategy, batch_sizes

TIERS = [1, 2, 3]
CANDIDATES = st.lists(
    st.tuples(st.sampled_from(TIERS), st.sampled_from(["", "", "a", "b", "c"])), min_size=1, max_size=60
).map(lambda rows: [Candidate(f"h{n:02}", tier, group) for n, (tier, group) in enumerate(rows)])
BATCHES = st.lists(st.sampled_from(["1", "2", "7", "1%", "10%", "50%", "100%"]), min_size=1, max_size=4).map(tuple)
STRATEGIES = st.one_of(
    BATCHES.map(lambda batches: Strategy(batches=batches)),
    st.integers(1, 70).map(lambda count: Strategy(by="groups", groups=count)),
    st.just(Strategy(by="pairs")),
    st.tuples(BATCHES, st.sampled_from([0, *TIERS])).map(
        lambda found: Strategy(by="tier", batches=found[0], tier=found[1])
    ),
)


def fleet(count: int, tier: int = 3, group: str = "", start: int = 0) -> list[Candidate]:
    return [Candidate(f"h{number:05}", tier, group) for number in range(start, start + count)]


def sizes(waves: Sequence[Sequence[str]]) -> list[int]:
    return [len(wave) for wave in waves]


@given(CANDIDATES, STRATEGIES)
def test_every_host_is_in_one_wave_and_no_group_is_down_at_once(hosts: list[Candidate], strategy: Strategy) -> None:
    waves = plan_waves(hosts, strategy)
    by_name = {host.hostname: host for host in hosts}
    assert sorted(name for wave in waves for name in wave) == sorted(by_name)
    assert all(waves)
    for group in ("a", "b", "c"):
        size = sum(host.group == group for host in hosts)
        for wave in waves:
            assert sum(by_name[name].group == group for name in wave) <= max(1, size // 2)
    critical = sum(host.tier == 1 for host in hosts)
    for wave in waves:
        assert sum(by_name[name].tier == 1 for name in wave) <= max(1, -(-critical // 10)), "slowly"
    assert waves == plan_waves(reversed(hosts), strategy)


@given(CANDIDATES, BATCHES)
def test_no_wave_is_larger_than_its_batch(hosts: list[Candidate], batches: tuple[str, ...]) -> None:
    allowed = batch_sizes(batches, len(hosts))
    for number, wave in enumerate(plan_waves(hosts, Strategy(batches=batches))):
        assert len(wave) <= allowed[min(number, len(allowed) - 1)]


@given(CANDIDATES, BATCHES)
def test_the_most_critical_sites_go_last(hosts: list[Candidate], batches: tuple[str, ...]) -> None:
    alone = [Candidate(host.hostname, host.tier, "") for host in hosts]
    tiers = {host.hostname: host.tier for host in alone}
    order = [tiers[name] for wave in plan_waves(alone, Strategy(batches=batches)) for name in wave]
    assert order == sorted(order, reverse=True)


@given(CANDIDATES, BATCHES, st.sampled_from(TIERS))
def test_by_tier_the_chosen_one_goes_first_and_none_are_mixed(
    hosts: list[Candidate], batches: tuple[str, ...], tier: int
) -> None:
    tiers = {host.hostname: host.tier for host in hosts}
    waves = plan_waves(hosts, Strategy(by="tier", tier=tier, batches=batches))
    of_waves = [{tiers[name] for name in wave} for wave in waves]
    assert all(len(found) == 1 for found in of_waves)
    order = [found.pop() for found in of_waves]
    first = tier if tier in tiers.values() else max(tiers.values())
    rest = order[order.count(first) :]
    assert order[0] == first and first not in rest and rest == sorted(rest, reverse=True)


@given(st.integers(1, 300), st.integers(1, 40))
def test_groups_are_as_many_as_asked_for_and_equal(hosts: int, groups: int) -> None:
    found = sizes(plan_waves(fleet(hosts), Strategy(by="groups", groups=groups)))
    assert len(found) == min(hosts, groups) and max(found) - min(found) <= 1


def test_the_plans_that_people_name() -> None:
    assert sizes(plan_waves(fleet(8), Strategy(by="groups", groups=8))) == [1] * 8
    assert sizes(plan_waves(fleet(8), Strategy(by="pairs"))) == [2] * 4
    assert sizes(plan_waves(fleet(500), Strategy(batches=("1", "10%", "50", "100%")))) == [1, 50, 50, 399]
    pairs = [Candidate(f"{group}{node}", 2, group) for group in "wxyz" for node in (1, 2)]
    waves = plan_waves(pairs, Strategy(by="pairs"))
    assert sizes(waves) == [2] * 4 and all(len({name[0] for name in wave}) == 2 for wave in waves)
    tiered = Strategy(by="tier", tier=3, batches=("1%", "50", "100%"))
    hosts = [*fleet(220, tier=3), *fleet(300, tier=2, start=220)]
    assert sizes(plan_waves(hosts, tiered)) == [3, 50, 50, 50, 50, 17, 300]
    assert sizes(plan_waves(fleet(40, tier=1), Strategy(batches=("100%",)))) == [4] * 10
    assert plan_waves([], tiered) == []


@pytest.mark.parametrize(
    ("wave", "tiers", "tolerated"),
    [
        ("0", [3, 3], 0),
        ("1", [3, 2], 1),
        ("10%", [3] * 9, 0),
        ("10%", [3] * 25, 2),
        ("2", [3, 3, 1], 0),
        ("5", [3], 0),
        ("100%", [2, 2], 1),
    ],
)
def test_a_wave_tolerates_what_it_says_and_nothing_with_a_critical_site(
    wave: str, tiers: list[int], tolerated: int
) -> None:
    assert Strategy(tolerate_wave=wave).tolerated_in_wave(tiers) == tolerated


@given(STRATEGIES, st.sampled_from(["0", "3", "5%"]), st.integers(0, 9999), st.sampled_from(["host", "wave", "run"]))
def test_a_plan_keeps_the_strategy_as_it_is(strategy: Strategy, tolerate: str, bake: int, rollback: str) -> None:
    given_one = Strategy(
        batches=strategy.batches, by=strategy.by, groups=strategy.groups, tier=strategy.tier,
        tolerate_wave=tolerate, tolerate_run=tolerate, bake=bake, gate="manual", rollback=rollback,
    )  # fmt: skip
    assert Strategy.of({"strategy": given_one.document()}) == given_one
    assert Strategy.of({}).tolerated_in_all(100) == 0
