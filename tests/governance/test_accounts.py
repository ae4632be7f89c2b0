"""Accounts are made, given roles, disabled and unlocked by administrators of where they work; the chain keeps it."""

from typing import Any

import pytest

from accounts.choices import Role
from accounts.models import Membership, User, UserSession
from audit.models import Entry
from governance.services.accounts import create_account, end_role, grant_role, unlock_account
from guardia.common.errors import GuardiaError, InvalidInput, NotPermitted, NotVisible
from tests.audit.words import words_of
from tests.doors import api, assert_refused, browser
from tests.factories import PASSWORD, Tenant, make_institution, make_user
from tests.snapshot import nothing_changes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
FIRST, OWN = "Wk7!mQz2#rTp", "Tn4$hVb9&xLd"
TOKEN = "/api/v1/token/"


@pytest.fixture
def tenant() -> Tenant:
    return Tenant(servers=1)


@pytest.fixture
def admin(tenant: Tenant) -> User:
    return make_user(Role.ADMINISTRATOR, tenant.institution, display_name="관리")


def test_the_first_password_opens_nothing_but_its_own_change() -> None:
    root = make_user(is_superuser=True)
    made = create_account(actor=root, username="new.pm", display_name="신규", password=FIRST)
    client = browser()
    client.post("/login/", {"username": "new.pm", "password": FIRST})
    for path in ("/", "/tasks/", "/account/tokens/new/", "/admin/"):
        assert client.get(path)["Location"] == "/account/password/", path
    assert "choose your own" in client.get("/account/password/").content.decode()
    assert_refused(client.get("/api/v1/task/history/OPS-20260101-001"), 403, "password_must_change")
    given = {"username": "new.pm", "password": FIRST}
    assert_refused(api().post(TOKEN, given, format="json"), 403, "password_must_change")
    same = client.post("/account/password/", {"old": FIRST, "new": FIRST, "again": FIRST})
    assert same.status_code == 400 and client.get("/")["Location"] == "/account/password/"
    client.post("/account/password/", {"old": FIRST, "new": OWN, "again": OWN})
    assert client.get("/").status_code == 200
    assert api().post(TOKEN, {**given, "password": OWN}, format="json").status_code == 200
    assert not User.objects.get(pk=made.pk).must_change_password


def test_a_name_is_taken_whatever_its_case_and_only_a_directory_spares_the_password(settings: Any) -> None:
    root = make_user(is_superuser=True)
    create_account(actor=root, username="new.pm", display_name="신규", password=FIRST)
    for name, password in (("NEW.PM", FIRST), ("other", ""), ("other", "short")):
        with nothing_changes(), pytest.raises(InvalidInput):
            create_account(actor=root, username=name, display_name="x", password=password)
    settings.GUARDIA_LDAP_URL = "ldaps://127.0.0.1"
    made = create_account(actor=root, username="other", display_name="x", password="")
    assert not made.has_usable_password() and not made.must_change_password
    refused = browser(made).post("/account/password/", {"old": "", "new": OWN, "again": OWN})
    assert refused.status_code == 400


def test_a_role_is_given_and_ended_by_others_and_the_desk_closes_with_the_last(tenant: Tenant, admin: User) -> None:
    person = make_user(Role.SITE_MANAGER, tenant.institution)
    role = grant_role(actor=admin, user=person, role=Role.PM, institution=tenant.institution)
    assert browser(person).get("/admin/").status_code == 200
    with nothing_changes(), pytest.raises(InvalidInput):
        end_role(actor=admin, membership_pk=role.pk, reason=" ")
    end_role(actor=admin, membership_pk=role.pk, reason="부서 이동")
    assert browser(person).get("/admin/").status_code == 302
    assert [row.role for row in person.memberships.all()] == ["SITE_MANAGER"]
    entries = Entry.objects.filter(action__startswith="role.", object_id=str(person.pk)).order_by("pk")
    assert [entry.action for entry in entries] == ["role.granted", "role.ended"]
    assert "부서 이동" in words_of(entries[1]) and entries[1].chain.key == f"institution:{tenant.institution.code}"


def test_who_may_not_hears_who_could(tenant: Tenant, admin: User) -> None:
    second = make_user(Role.ADMINISTRATOR, tenant.institution, display_name="다른관리")
    stranger = make_user(Role.ADMINISTRATOR, make_institution())
    role, own = tenant.owner.memberships.get(), admin.memberships.get()
    cases: list[tuple[User, Membership, type[GuardiaError], str]] = [
        (tenant.pm, role, NotPermitted, str(admin)),
        (admin, own, NotPermitted, str(second)),
        (stranger, role, NotVisible, ""),
    ]
    for actor, membership, error, named in cases:
        with nothing_changes(), pytest.raises(error, match=named):
            end_role(actor=actor, membership_pk=membership.pk, reason="x")
    with nothing_changes(), pytest.raises(NotPermitted, match=str(second)):
        grant_role(actor=admin, user=admin, role=Role.PM, institution=tenant.institution)


def test_a_lock_out_is_shown_and_lifted(tenant: Tenant, admin: User) -> None:
    name = tenant.pm.username
    for _number in range(5):
        browser().post("/login/", {"username": name, "password": "wrong"})
    assert browser().post("/login/", {"username": name, "password": PASSWORD}).status_code == 429
    page = f"/people/{tenant.pm.pk}/"
    assert "Locked out" in browser(admin).get(page).content.decode()
    with nothing_changes(), pytest.raises(NotPermitted):
        unlock_account(actor=tenant.owner, user=tenant.pm)
    assert browser(admin).post(f"{page}unlock/").status_code == 302
    assert browser().post("/login/", {"username": name, "password": PASSWORD}).status_code == 302
    assert "Locked out" not in browser(admin).get(page).content.decode()
    assert Entry.objects.filter(action="account.unlocked", object_id=str(tenant.pm.pk)).count() == 1


def test_a_name_in_another_case_counts_for_the_same_person(tenant: Tenant) -> None:
    User.objects.filter(pk=tenant.pm.pk).update(username="park.pm")
    for typed in ("park.pm", "PARK.PM", "Park.pm", "pARK.PM", "park.PM"):
        browser().post("/login/", {"username": typed, "password": "wrong"})
    assert browser().post("/login/", {"username": "park.pm", "password": PASSWORD}).status_code == 429


def test_the_pages_do_it_all(tenant: Tenant, admin: User) -> None:
    root, client = make_user(is_superuser=True), browser(admin)
    refused = client.get("/people/new/")
    assert refused.status_code == 403 and str(root) in refused.content.decode()
    assert browser(root).post("/people/new/", {"username": "hong"}).status_code == 400
    made = browser(root).post("/people/new/", {"username": "hong", "display_name": "홍길동", "password": FIRST})
    person = User.objects.get(username="hong")
    assert made["Location"] == f"/people/{person.pk}/"
    # not hers yet: the administrator of an institution doesn't see who has no role there
    assert client.get(f"/people/{person.pk}/").status_code == 404
    browser(root).post(f"/people/{person.pk}/roles/", {"role": "PM", "institution": tenant.institution.pk})
    assert "홍길동" in client.get("/people/?q=hong").content.decode()
    session = browser(person).session
    assert client.post(f"/people/{person.pk}/disable/", {"words": ""}).status_code == 400
    client.post(f"/people/{person.pk}/disable/", {"words": "퇴직"})
    assert UserSession.objects.get(pk=session["guardia_session"]).ended_by == "DISABLED"
    assert "홍길동" in client.get("/people/?state=disabled").content.decode()
    client.post(f"/people/{person.pk}/enable/", {"words": "복직"})
    role = person.memberships.get()
    client.post(f"/people/{person.pk}/roles/{role.pk}/end/", {"words": "이동"})
    person = User.objects.get(pk=person.pk)
    assert person.is_active and not person.memberships.exists()
    # somebody of another institution in whom she has no say
    both = make_user(Role.PM, tenant.institution, display_name="겸직")
    both.memberships.create(institution=make_institution(), role=Role.PM)
    refused = client.post(f"/people/{both.pk}/disable/", {"words": "x"})
    assert refused.status_code == 403 and str(root) in refused.content.decode()


def test_others_are_told_who_looks_after_accounts(tenant: Tenant, admin: User) -> None:
    for path in ("/people/", f"/people/{tenant.owner.pk}/", "/authority/", f"/authority/systems/{tenant.system.pk}/"):
        response = browser(tenant.pm).get(path)
        assert response.status_code == 403 and "관리" in response.content.decode(), path


def test_a_list_costs_the_same_for_many(tenant: Tenant, admin: User, django_assert_max_num_queries: Any) -> None:
    for _number in range(15):
        make_user(Role.PM, tenant.institution)
    client = browser(admin)
    for path in ("/people/", f"/people/{tenant.pm.pk}/", "/authority/", "/more/"):
        with django_assert_max_num_queries(20):
            assert client.get(path).status_code == 200, path
