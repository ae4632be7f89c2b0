"""Servers behind a jump host, from the inventory to the rollout: planned, shown, approved, and gone through."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from accounts.choices import Role
from cmdb.models import Server
from cmdb.services.store_credential import store_credential
from demo.fleet.backends import find_sshd
from execution.exceptions import PlanRefused
from execution.plan.build import build_document, playbook_for
from execution.plan.compare import differences
from governance.services.security_check import look_at
from tests.execution.fleet_tenant import FleetTenant, assert_consistent, statuses
from tests.execution.ssh.sshd import Sshd, running_sshd
from tests.factories import Tenant, make_credential, make_server, make_user

needs_sshd = pytest.mark.skipif(find_sshd() is None, reason="OpenSSH's sshd is not installed")


def jump_host(tenant: Tenant, server: Sshd) -> Server:
    target = server.target()
    credential = make_credential(
        tenant.institution, server.secret.value, kind="private_key", username=target.username, name="jump-login"
    )
    return make_server(
        tenant.system,
        hostname="jump-01",
        address=target.address,
        ssh_port=target.port,
        host_keys=list(target.host_keys),
        credential=credential,
        role="lb",
    )


@needs_sshd
def test_a_rollout_goes_through_the_jump_host(tenant: FleetTenant, tmp_path: Path) -> None:
    with running_sshd(tmp_path, "AllowTcpForwarding local") as server:
        jump = jump_host(tenant, server)
        Server.objects.filter(pk__in=[row.pk for row in tenant.servers]).update(jump=jump)
        run = tenant.deploy("2.1.0")
        assert set(statuses(run).values()) == {"DONE"}
        assert all(host["via"][0]["hostname"] == "jump-01" for host in run.plan.content["hosts"].values())
        assert_consistent(run)
    run = tenant.deploy("2.2.0")  # the jump host is gone
    assert run.status == "ROLLED_BACK" and "jump-01" in run.reason
    assert {state.version for state in tenant.states().values()} == {"2.1.0"}
    assert_consistent(run)


@pytest.mark.django_db
def test_ways_are_short_straight_and_of_one_institution() -> None:
    tenant, other = Tenant(servers=5), Tenant(servers=1)
    chain = tenant.servers
    for nearer, farther in itertools.pairwise(chain[:4]):
        farther.jump = nearer
        farther.full_clean()
        farther.save()
    assert [hop.pk for hop in chain[3].way()] == [row.pk for row in chain[:3]]
    for server, jump in (
        (chain[4], chain[3]),
        (chain[0], chain[2]),
        (chain[0], chain[0]),
        (chain[4], other.servers[0]),
    ):
        server = Server.objects.get(pk=server.pk)
        server.jump = jump
        with pytest.raises(ValidationError) as caught:
            server.full_clean()
        assert list(caught.value.message_dict) == ["jump"]


@pytest.mark.django_db
@pytest.mark.parametrize("spoil", ["inactive", "no_credential", "too_far"])
def test_a_way_that_cannot_be_gone_is_not_planned(spoil: str) -> None:
    tenant = Tenant(servers=1)
    hops = [make_server(tenant.system, role="lb") for _number in range(5)]
    for nearer, farther in itertools.pairwise(hops):
        Server.objects.filter(pk=farther.pk).update(jump=nearer)
    used = hops[4] if spoil == "too_far" else hops[0]
    Server.objects.filter(pk=tenant.servers[0].pk).update(jump=used)
    if spoil == "inactive":
        Server.objects.filter(pk=used.pk).update(is_active=False)
    if spoil == "no_credential":
        Server.objects.filter(pk=used.pk).update(credential=None)
    task = tenant.file()
    with pytest.raises(PlanRefused) as caught:
        build_document(task, playbook_for(task))
    assert caught.value.code == "no_way"


def with_jump(tenant: Tenant) -> None:
    jump = make_server(tenant.system, hostname="the-jump", role="lb")
    Server.objects.filter(pk=tenant.servers[0].pk).update(jump=jump)


def with_old_ssh(tenant: Tenant) -> None:
    tenant.servers[0].profile.legacy_ssh = ["ssh-rsa"]
    tenant.servers[0].profile.save()


@pytest.mark.django_db
@pytest.mark.parametrize(("change", "shown"), [(with_jump, "the-jump"), (with_old_ssh, "ssh-rsa")])
def test_another_way_is_another_plan_and_the_difference_is_shown(change: Callable[[Tenant], None], shown: str) -> None:
    tenant = Tenant(servers=1)
    task = tenant.file()
    before = build_document(task, playbook_for(task))
    change(tenant)
    after = build_document(task, playbook_for(task))
    (part,) = differences(before, after)
    assert shown in " ".join(line for found in part.differences for line in found.after)
    findings = {found["check"]: found["is_good"] for found in look_at(after, is_dangerous=False)}
    assert findings["ssh"] is (change is with_jump)


@pytest.mark.django_db
def test_a_jump_host_without_a_pinned_key_is_found_by_the_security_check() -> None:
    tenant = Tenant(servers=1)
    with_jump(tenant)
    Server.objects.filter(hostname="the-jump").update(host_keys=[])
    task = tenant.file()
    document = build_document(task, playbook_for(task))
    found = next(row for row in look_at(document, is_dangerous=False) if row["check"] == "host_keys")
    assert found["told"] == [tenant.servers[0].hostname]


@pytest.mark.django_db
def test_a_changed_credential_of_the_jump_host_is_another_plan() -> None:
    tenant = Tenant(servers=1)
    with_jump(tenant)
    jump = Server.objects.get(hostname="the-jump")
    assert jump.credential is not None
    task = tenant.file()
    before = build_document(task, playbook_for(task))
    store_credential(
        actor=make_user(Role.OPERATOR, tenant.institution),
        institution=tenant.institution,
        name=jump.credential.name,
        kind="password",
        username="ops",
        secret="another-secret-7",
    )
    (part,) = differences(before, build_document(task, playbook_for(task)))
    assert part.hostname == tenant.servers[0].hostname
