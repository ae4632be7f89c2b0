"""No act of rank from outside the networks that are named for it, through whatever service; and none is forgotten."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest
from django.conf import settings

from accounts.exceptions import OutsideBastion
from accounts.models import User
from audit.models import Entry
from audit.verifying.all_chains import verify_all
from governance.models import AccessRange
from guardia.common.context import traced
from tests.doors import browser
from tests.governance import ranks, ranks_of_gateways
from tests.governance.ranks import FROM_ANYWHERE, Office
from tests.snapshot import snapshot

ACTS = ranks.ACTS | ranks_of_gateways.ACTS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


def services() -> Iterator[str]:
    """Every public function of ours that is given its `actor`, a person, by name: what style.md calls a service."""
    for app in settings.GUARDIA_APPS:
        if app == "guardia":  # the doors
            continue
        for found in pkgutil.walk_packages(importlib.import_module(app).__path__, f"{app}."):
            if ".migrations" in found.name or ".management" in found.name:
                continue
            for name, function in inspect.getmembers(importlib.import_module(found.name), inspect.isfunction):
                if function.__module__ == found.name and not name.startswith("_") and _is_service(function):
                    yield name


def _is_service(function: object) -> bool:
    given = inspect.signature(function).parameters.get("actor")  # type: ignore[arg-type]
    if given is None or given.kind != inspect.Parameter.KEYWORD_ONLY:
        return False
    return given.annotation is User or "User" in str(given.annotation)


def test_every_service_is_an_act_of_rank_or_says_why_not() -> None:
    found = list(services())
    assert len(found) == len(set(found)), "two services of one name"
    assert set(found) == {*ACTS, *FROM_ANYWHERE, "confirm_identity"} and not set(ACTS) & set(FROM_ANYWHERE)


@pytest.mark.parametrize("name", ACTS)
def test_it_is_refused_from_elsewhere_and_leaves_one_entry(name: str) -> None:
    office = Office()
    act = ACTS[name](office)
    bastion = AccessRange.objects.create(label="Bastion A", cidr="10.0.0.0/8")
    before = snapshot()
    with traced(source_ip="192.0.2.5", channel="portal"), pytest.raises(OutsideBastion, match="Bastion A"):
        act()
    after = snapshot()
    changed = {label for label in after if after[label] != before[label]}
    assert changed - {"audit.DataKey"} == {"audit.Chain", "audit.Entry"}
    entry = Entry.objects.latest("pk")
    assert entry.action == "access.refused"
    assert f'"act":"{name}"' in entry.body and "192.0.2.5" in entry.body and bastion.label in entry.body
    assert all(report.is_intact for report in verify_all())
    with traced(source_ip="10.0.0.1", channel="portal"):
        act()


def test_the_admins_own_forms_are_no_way_around_it() -> None:
    office = Office()
    AccessRange.objects.create(label="Bastion A", cidr="10.0.0.0/8")
    site = office.institution.sites.all()[0]
    form = {"code": "TAKEN", "name": "taken", "tier": 3, "institution": office.institution.pk}
    path, client = f"/admin/cmdb/site/{site.pk}/change/", browser(office.operator)
    before = snapshot()
    refused = client.post(path, form, REMOTE_ADDR="192.0.2.5", follow=True)
    after = snapshot()
    assert "Bastion A" in refused.content.decode()
    changed = {label for label in after if after[label] != before[label]}
    assert changed <= {"audit.Chain", "audit.Entry", "audit.DataKey"}
    assert [entry.action for entry in Entry.objects.order_by("-pk")[:1]] == ["access.refused"]
    client.post(path, form, REMOTE_ADDR="10.0.0.1")
    site.refresh_from_db()
    assert site.name == "taken"
