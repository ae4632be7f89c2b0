"""From where administrators and approvers may act; a refusal changes nothing but adds its entry."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.choices import Role
from accounts.exceptions import OutsideBastion
from accounts.models import User
from audit.models import Entry
from audit.verification import verify_all
from governance.choices import ReviewDecision
from governance.models import AccessRange
from governance.services.accounts import create_account, grant_role
from governance.services.bastion import require_bastion
from governance.services.name_owner import name_owner
from governance.services.save_access_range import save_access_range
from governance.services.validate_result import validate_result
from guardia.common.context import traced
from guardia.common.errors import InvalidInput, NotPermitted
from tests.doors import DECIDE, api, assert_refused, browser
from tests.factories import Tenant, approve, make_user, pending_step
from tests.snapshot import snapshot
from tickets.models import OpsTask

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.fixture
def tenant() -> Tenant:
    return Tenant(servers=1)


def allow(tenant: Tenant | None, cidr: str, **fields: Any) -> AccessRange:
    institution = tenant.institution if tenant else None
    return AccessRange.objects.create(institution=institution, cidr=cidr, **{"label": "Bastion A", **fields})


ADDRESSES = [
    ([], "203.0.113.9", True),
    (["10.1.0.0/16"], "10.1.2.3", True),
    (["10.1.0.0/16"], "::ffff:10.1.2.3", True),
    (["10.1.0.0/16"], "10.2.0.1", False),
    (["10.1.0.0/16", "10.2.0.1/32"], "10.2.0.1", True),
    (["2001:db8::/32"], "2001:db8::7", True),
    (["2001:db8::/32"], "10.1.2.3", False),
    (["10.1.0.0/16"], "", False),  # a door that can't say
    (["10.1.0.0/16"], "testclient", False),
]


@pytest.mark.parametrize(("cidrs", "address", "may"), ADDRESSES)
def test_an_address_is_in_or_out(tenant: Tenant, cidrs: list[str], address: str, may: bool) -> None:
    for cidr in cidrs:
        allow(tenant, cidr)
    allow(tenant, "203.0.113.0/24", is_active=False)
    allow(Tenant(servers=1), "198.51.100.0/24")
    with traced(source_ip=address, channel="portal"):
        if may:
            require_bastion(actor=tenant.pm, institution=tenant.institution)
        else:
            with pytest.raises(OutsideBastion, match="Bastion A"):
                require_bastion(actor=tenant.pm, institution=tenant.institution)


def test_a_range_of_all_counts_everywhere_and_the_console_is_no_door(tenant: Tenant) -> None:
    allow(None, "10.0.0.0/8")
    with traced(source_ip="10.9.9.9", channel="api"):
        require_bastion(actor=tenant.pm, institution=None)
    require_bastion(actor=tenant.pm, institution=tenant.institution)
    with traced(source_ip="127.0.0.1", channel="api"), pytest.raises(OutsideBastion):
        require_bastion(actor=tenant.pm, institution=None)


def validating(tenant: Tenant, _administrator: User) -> Callable[[], Any]:
    task, _plan = tenant.planned()
    OpsTask.objects.filter(pk=task.pk).update(status="VAL")
    return lambda: validate_result(actor=tenant.pm, task_id=task.task_id, decision=ReviewDecision.ACCEPT)


def deciding(tenant: Tenant, _administrator: User) -> Callable[[], Any]:
    task, plan = tenant.planned()
    return lambda: approve(task, plan, tenant.owner)


ACTS: list[tuple[str, Callable[[Tenant, User], Callable[[], Any]]]] = [
    ("decide_step", deciding),
    ("validate_result", validating),
    (
        "create_account",
        lambda _t, a: lambda: create_account(actor=a, username="n", display_name="n", password="Long-enough-1!"),
    ),
    ("grant_role", lambda t, a: lambda: grant_role(actor=a, user=t.pm, role=Role.AUDITOR, institution=t.institution)),
    ("name_owner", lambda t, a: lambda: name_owner(actor=a, system=t.system, owner=t.deputy)),
    (
        "save_access_range",
        lambda t, a: (
            lambda: save_access_range(
                actor=a, access_range=AccessRange(label="x", cidr="127.0.0.0/8", institution=t.institution)
            )
        ),
    ),
]


@pytest.mark.parametrize(("name", "prepare"), ACTS)
def test_every_act_of_rank_is_refused_from_elsewhere_and_leaves_one_entry(
    tenant: Tenant, name: str, prepare: Callable[[Tenant, User], Callable[[], Any]]
) -> None:
    act = prepare(tenant, make_user(Role.ADMINISTRATOR))
    bastion = allow(None, "10.0.0.0/8")
    before = snapshot()
    with traced(source_ip="192.0.2.5", channel="portal"), pytest.raises(OutsideBastion, match="Bastion A"):
        act()
    after = snapshot()
    assert {label for label in after if after[label] != before[label]} == {"audit.Chain", "audit.Entry"}
    entry = Entry.objects.latest("pk")
    assert entry.action == "access.refused"
    assert f'"act":"{name}"' in entry.body and "192.0.2.5" in entry.body and bastion.label in entry.body
    assert all(report.is_intact for report in verify_all())
    with traced(source_ip="10.0.0.1", channel="portal"):
        if name != "save_access_range":  # 127.0.0.0/8 beside 10.0.0.0/8: fine from 10.0.0.1 as well
            act()


def test_the_doors_say_where_it_can_be_done(tenant: Tenant) -> None:
    task, plan = tenant.planned()
    allow(tenant, "10.0.0.0/8")
    body = {"task_id": task.task_id, "decision": "APPROVE", "plan_digest": plan.digest}
    refused = assert_refused(api(tenant.owner).post(DECIDE, body, format="json"), 403, "outside_bastion")
    assert "Bastion A" in refused["message"] and refused["details"] == {}
    path = f"/tasks/{task.task_id}/decide/{pending_step(task).pk}/"
    response = browser(tenant.owner).post(path, {"decision": "APPROVE", "digest": plan.digest})
    assert response.status_code == 403 and "Bastion A" in response.content.decode()
    assert Entry.objects.filter(action="access.refused").count() == 2


def test_ranges_are_kept_by_administrators_who_do_not_lock_themselves_out(tenant: Tenant) -> None:
    administrator = make_user(Role.ADMINISTRATOR, tenant.institution)

    def save(actor: User, cidr: str) -> AccessRange:
        row = AccessRange(label="Bastion B", institution=tenant.institution, cidr=cidr)
        return save_access_range(actor=actor, access_range=row)

    with traced(source_ip="127.0.0.1", channel="admin"):
        for actor, cidr, error in (
            (tenant.security, "127.0.0.0/8", NotPermitted),
            (administrator, "127.0.0.0/8/8", InvalidInput),
            (administrator, "10.0.0.0/8", InvalidInput),
        ):
            before = snapshot()
            with pytest.raises(error):
                _in_transaction(lambda actor=actor, cidr=cidr: save(actor, cidr))
            assert snapshot() == before
        assert save(administrator, "127.0.0.1/8").cidr == "127.0.0.0/8"
        save(administrator, "10.0.0.0/8")
    assert Entry.objects.filter(action="access_range.saved").count() == 2


def _in_transaction(act: Callable[[], Any]) -> None:
    from django.db import transaction

    with transaction.atomic():
        act()
