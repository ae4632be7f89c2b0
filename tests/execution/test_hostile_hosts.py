"""A wave in which hosts misbehave in every way we know, beside good ones: each ends in time with its own error, and the
good ones don't suffer."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from demo.fleet import Fleet
from demo.fleet.hostile import Peer, hostile
from execution.models import HostRun, StepResult
from execution.playbooks.publish import SHIPPED, publish_playbook
from execution.steps import ops
from tests.execution.fleet_tenant import FleetTenant, actions, artefact, assert_consistent, host_run, statuses
from tests.factories import make_credential, make_server
from tests.queue import run_queue
from tickets.models import OpsTask

#: what the host does → the error of its host run (a flood ends by the deadline, or as nonsense on a fast machine)
CODES = {
    "down": "host_down",
    "hang_banner": "connect_timeout",
    "drip_banner": "connect_timeout",
    "hang_kex": "connect_timeout",
    "wrong_password": "auth_refused",
    "hang_auth": "auth_timeout",
    "changed_key": "changed_host_key",
    "unknown_key": "unknown_host_key",
    "hang_exec": "command_timeout",
    "drip": "command_timeout",
    "flood": "command_timeout step_failed connection_lost",
    "no_exit_code": "no_exit_status",
}
COMMAND_SECONDS, CONNECT_SECONDS = 3, 2


class HostileTenant(FleetTenant):
    """Three good hosts of the fleet, and one of each hostile kind in the same wave as the last two."""

    def __init__(self, fleet: Fleet, stack: ExitStack) -> None:
        super().__init__(fleet, count=3, group="")
        source = (SHIPPED / "was_rolling.yaml").read_text()
        source = source.replace('["1", "50%", "100%"]', '["1", "100%"]').replace("version: 2", "version: 3")
        publish_playbook(actor="test", source=source)
        self.peers: dict[str, Peer] = {}
        for kind in CODES:
            peer = stack.enter_context(hostile("hang_exec" if kind == "unknown_key" else kind))
            self.peers[kind] = peer
            self.servers.append(self._add(kind, peer))

    def _add(self, kind: str, peer: Peer) -> Any:
        address, port = peer
        return make_server(
            self.system,
            hostname=f"z-{kind.replace('_', '-')}",
            address=address,
            ssh_port=port,
            host_keys=[] if kind == "unknown_key" else [peer.host_key],
            credential=make_credential(self.institution, peer.password, username=peer.username),
        )


@pytest.fixture
def tenant(
    transactional_db: None, hosts: Fleet, in_english: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HostileTenant]:
    settings.GUARDIA_CONNECT_SECONDS = CONNECT_SECONDS
    monkeypatch.setitem(ops.run.__kwdefaults__, "seconds", COMMAND_SECONDS)
    with ExitStack() as stack:
        yield HostileTenant(hosts, stack)


def test_a_wave_full_of_hostile_hosts(tenant: HostileTenant) -> None:
    before = tenant.states()
    run = tenant.deploy("2.1.0")
    first, *others = sorted(tenant.hosts)
    found = statuses(run)
    assert found[first] == "DONE"
    for kind, code in CODES.items():
        host = host_run(run, f"z-{kind.replace('_', '-')}")
        assert host.status == "FAILED", kind
        assert host.error_code in code.split(), (kind, host.error)
        assert host.error, kind
        assert tenant.peers[kind].password not in host.error
        assert host.started_at is not None and host.finished_at is not None
        seconds = (host.finished_at - host.started_at).total_seconds()
        assert seconds < CONNECT_SECONDS + COMMAND_SECONDS + 10, (kind, seconds)
    for kind in ("unknown_key", "changed_key"):
        assert tenant.peers[kind].attempts == [], "a credential was sent to a host that nobody knows"
    after = tenant.states()
    for name in others:  # finished, then taken back with their wave, without an error of their own
        assert found[name] == "UNDONE"
        assert host_run(run, name).error_code == ""
        assert not StepResult.objects.filter(host_run__server__hostname=name).exclude(status="OK").exists()
        assert actions(tenant, name) == ["shutdown", "startup"] * 2
        assert (after[name].status, after[name].version) == (200, before[name].version)
    assert OpsTask.objects.get(pk=run.task_id).status == "ERR"
    assert_consistent(run)


@pytest.mark.parametrize("keys", [[], ["ssh-ed25519 nonsense"], ["# a comment", ""]])
def test_without_a_readable_pinned_key_nothing_is_sent(
    transactional_db: None, hosts: Fleet, in_english: None, keys: list[str]
) -> None:
    tenant = FleetTenant(hosts, count=2)
    canary = tenant.servers[0]
    canary.host_keys = keys
    canary.save()
    task, _plan = tenant.approved(content=artefact("2.1.0"))
    run_queue()
    assert OpsTask.objects.get(pk=task.pk).status == "ERR"
    host = HostRun.objects.get(server=canary)
    assert host.error_code in ("unknown_host_key", "bad_host_key")
    assert not host.steps.exists()
    assert canary.hostname in OpsTask.objects.get(pk=task.pk).reason
