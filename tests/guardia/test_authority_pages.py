"""Who answers for what: changed on the page by administrators, announced to those concerned, refused with a way on."""

from datetime import timedelta

import pytest
from django.utils.timezone import localtime

from accounts.choices import Role
from accounts.models import Membership, User
from audit.models import Entry
from governance.models import Absence, SystemOwner
from governance.services.check_authority import check_authority
from guardia.common.clock import now
from tests.doors import browser
from tests.factories import Tenant, make_institution, make_user
from tests.snapshot import nothing_changes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.fixture
def tenant() -> Tenant:
    return Tenant(servers=1)


@pytest.fixture
def admin(tenant: Tenant) -> User:
    return make_user(Role.ADMINISTRATOR, tenant.institution, display_name="기관관리자")


def test_a_stale_mapping_is_told_shown_and_mended_from_its_row(tenant: Tenant, admin: User) -> None:
    User.objects.filter(pk=tenant.owner.pk).update(is_active=False, display_name="떠난이")
    SystemOwner.objects.filter(system=tenant.system).update(deputy=None)
    check_authority()
    assert tenant.system.code in browser(admin).get("/messages/").content.decode()
    client, path = browser(admin), f"/authority/systems/{tenant.system.pk}/"
    page = client.get("/authority/").content.decode()
    assert "떠난이 has left." in page and "No deputy is named." in page and f'href="{path}"' in page
    form = {"owner": tenant.deputy.pk, "deputy": tenant.pm.pk, "supervisor": "", "sla_minutes": 25, "is_active": "on"}
    assert client.post(path, form)["Location"] == "/authority/"
    row = SystemOwner.objects.get(system=tenant.system)
    assert (row.owner, row.deputy, row.supervisor, row.sla_minutes) == (tenant.deputy, tenant.pm, None, 25)
    assert "Every system has its people." in client.get("/authority/").content.decode()
    assert Entry.objects.get(action="owner.named").chain.key == f"institution:{tenant.institution.code}"


def test_who_can_not_decide_here_is_not_named(tenant: Tenant, admin: User) -> None:
    elsewhere, viewer = Tenant(servers=1).owner, make_user(Role.TEAM_LEAD, tenant.institution)
    Membership.objects.filter(user=viewer).update(authority="VIEWER")
    client, path = browser(admin), f"/authority/systems/{tenant.system.pk}/"
    good = {"owner": tenant.owner.pk, "deputy": tenant.deputy.pk, "sla_minutes": 10, "is_active": "on"}
    wrong = [
        {"owner": elsewhere.pk},
        {"deputy": viewer.pk},
        {"deputy": tenant.site_manager.pk},
        {"deputy": tenant.owner.pk},
        {"sla_minutes": 0},
        {"owner": ""},
    ]
    with nothing_changes():
        for change in wrong:
            assert client.post(path, {**good, **change}).status_code == 400, change
    assert client.post(path, good).status_code == 302


def test_authority_is_set_on_the_page_and_not_for_oneself(tenant: Tenant, admin: User) -> None:
    client, role = browser(admin), tenant.owner.memberships.get()
    assert f"/authority/roles/{role.pk}/" in client.get("/authority/").content.decode()
    assert client.post(f"/authority/roles/{role.pk}/", {"authority": "VIEWER"}).status_code == 302
    assert Membership.objects.get(pk=role.pk).authority == "VIEWER"
    assert "has no role that decides here" in client.get("/authority/").content.decode()
    second = make_user(Role.ADMINISTRATOR, tenant.institution, display_name="둘째관리자")
    for actor, target, named in ((admin, admin, second), (tenant.pm, tenant.owner, admin)):
        own, theirs = target.memberships.get(), browser(actor)
        with nothing_changes():
            refused = theirs.post(f"/authority/roles/{own.pk}/", {"authority": "APPROVER"})
            assert refused.status_code == 403 and str(named) in refused.content.decode()
    with nothing_changes():
        assert client.post(f"/authority/roles/{role.pk}/", {"authority": "KING"}).status_code == 404


def test_an_emergency_absence_needs_a_reason_and_its_person_reads_it(tenant: Tenant, admin: User) -> None:
    client = browser(admin)
    start, end = (f"{localtime(now() + timedelta(hours=hours)):%Y-%m-%dT%H:%M}" for hours in (1, 9))
    form = {"user": tenant.owner.pk, "starts_at": start, "ends_at": end, "deputy": "", "reason": ""}
    with nothing_changes():
        assert client.post("/authority/", form).status_code == 400
    assert client.post("/authority/", {**form, "reason": "연락 두절"}).status_code == 302
    absence = Absence.objects.get(user=tenant.owner)
    assert absence.set_by == admin
    owner = browser(tenant.owner)
    told, own = owner.get("/messages/").content.decode(), owner.get("/absence/").content.decode()
    assert "연락 두절" in told and "기관관리자" in told and "/absence/" in told
    assert "연락 두절" in own and "entered by 기관관리자" in own
    with nothing_changes():
        assert client.post(f"/absence/{absence.pk}/end/", {"next": "/authority/"}).status_code == 400
    client.post(f"/absence/{absence.pk}/end/", {"next": "/authority/", "words": "연락됨"})
    assert "연락됨" in owner.get("/messages/").content.decode()


def test_an_administrator_sees_their_own_institutions_systems_only(tenant: Tenant) -> None:
    other = make_institution()
    page = browser(make_user(Role.ADMINISTRATOR, other)).get("/authority/").content.decode()
    assert tenant.system.name not in page and str(tenant.owner) not in page
    everything = browser(make_user(Role.ADMINISTRATOR)).get(f"/authority/?q={tenant.system.code}").content.decode()
    assert tenant.system.name in everything
