"""From where administrators and approvers may act; a refusal changes nothing but adds its entry."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.choices import Role
from accounts.exceptions import OutsideBastion
from accounts.models import User
from audit.models import Entry
from governance.models import AccessRange
from governance.services.bastion import require_bastion
from governance.services.save_access_range import save_access_range
from guardia.common.context import traced
from guardia.common.errors import InvalidInput, NotPermitted
from tests.doors import DECIDE, api, assert_refused, browser
from tests.factories import Tenant, make_user, pending_step
from tests.snapshot import snapshot

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
