"""Waves, as properties of any fleet at any pace."""

from hypothesis import given
from hypothesis import strategies as st

from execution.plan.waves import Candidate, plan_waves
from execution.playbooks.pace import parse_batches

CANDIDATES = st.lists(
    st.tuples(st.sampled_from([1, 2, 3]), st.sampled_from(["", "a", "b"])), min_size=1, max_size=40
).map(lambda rows: [Candidate(f"h{n:02}", tier, group) for n, (tier, group) in enumerate(rows)])
BATCHES = st.lists(st.sampled_from(["1", "2", "7", "10%", "50%", "100%"]), min_size=1, max_size=3)


@given(CANDIDATES, BATCHES)
def test_waves_hold_every_host_once_and_never_a_whole_group(hosts: list[Candidate], batches: list[str]) -> None:
    waves = plan_waves(hosts, batches)
    by_name = {host.hostname: host for host in hosts}
    assert sorted(name for wave in waves for name in wave) == sorted(by_name)
    assert all(waves)
    number, is_share = parse_batches(batches)[0]
    assert len(waves[0]) <= (-(-len(hosts) * number // 100) if is_share else number)
    for group in ("a", "b"):
        size = sum(host.group == group for host in hosts)
        for wave in waves:
            assert sum(by_name[name].group == group for name in wave) <= max(1, size // 2)
    assert waves == plan_waves(reversed(hosts), batches)


@given(CANDIDATES, BATCHES)
def test_the_most_critical_sites_go_last(hosts: list[Candidate], batches: list[str]) -> None:
    alone = [Candidate(host.hostname, host.tier, "") for host in hosts]
    tiers = {host.hostname: host.tier for host in alone}
    order = [tiers[name] for wave in plan_waves(alone, batches) for name in wave]
    assert order == sorted(order, reverse=True)
