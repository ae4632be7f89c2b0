"""The password profiles, rule by rule, and what a change does."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.password_validation import get_password_validators, validate_password
from django.core.exceptions import ValidationError

from accounts.models import PasswordRecord, User
from accounts.password_profiles import PASSWORD_PROFILES, password_profile
from audit.models import Entry
from guardia.common.clock import now
from tests.doors import api, assert_refused, browser
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
GOOD = "Mu9!tikoSan"
PERSON = {
    "username": "kim.site",
    "display_name": "김현장",
    "email": "hyunjang@moef.go.kr",
    "phone": "010-9257-8163",
    "birth_date": date(1984, 7, 26),
}

KR_PUBLIC = [
    (GOOD, None),
    ("Mu9tikoSa", None),  # 9 of three kinds
    ("mu9tikosa7", None),  # 10 of two kinds
    ("바람이불면9산으로가", None),
    ("Mu9tikoS", "password_kinds"),  # 8 of three
    ("mu9tikosa", "password_kinds"),  # 9 of two
    ("mutikosanrelop", "password_kinds"),  # one kind
    ("", "password_kinds"),
    ("Xkim.siteX9", "password_personal"),
    ("SITE9tokupa", "password_personal"),
    ("김현장9Tokupa", "password_personal"),
    ("Hyunjang9!to", "password_personal"),
    ("Toku8163pa!", "password_personal"),
    ("Toku92578163!", "password_personal"),
    ("To19840726ku", "password_personal"),
    ("To840726kuA", "password_personal"),
    ("Tok0726upaE", "password_personal"),
    ("Tokuaaaa9!p", "password_sequence"),
    ("Tokuaaa9!pe", None),
    ("Toku1234!pe", "password_sequence"),
    ("Toku4321!pe", "password_sequence"),
    ("Toku123!pes", None),
    ("Tokuabcd9!p", "password_sequence"),
    ("TokuqWeR9!p", "password_sequence"),
    ("Tokufdsa9!p", "password_sequence"),
    ("Tokuqwe9!pu", None),
    ("To7890!!kup", "password_sequence"),
]
ASVS = [
    ("correct horse battery", None),
    ("mutikosanrel", None),
    ("mutikosanre", "password_too_short"),
    ("qwertyuiop12", "password_too_common"),
]


def codes_of(profile: str, password: str, user: User | None) -> set[str]:
    try:
        validate_password(password, user, get_password_validators(PASSWORD_PROFILES[profile].validators))
    except ValidationError as error:
        return {str(one.code) for one in error.error_list}
    return set()


@pytest.mark.parametrize(("password", "code"), KR_PUBLIC)
def test_the_korean_public_rules(password: str, code: str | None) -> None:
    found = codes_of("kr-public", password, User(**PERSON))
    assert (code in found) if code else not found, found


@pytest.mark.parametrize(("password", "code"), ASVS)
def test_the_asvs_rules(password: str, code: str | None) -> None:
    found = codes_of("asvs5", password, User(**PERSON))
    assert found == ({code} if code else set())


def test_a_profile_that_is_not_there_stops_the_start() -> None:
    with pytest.raises(ValueError, match="kr-public"):
        password_profile("none")


def test_the_last_two_passwords_are_not_taken_again() -> None:
    user = make_user()
    seen = ["First9!Tokupa", "Second9!Tokupa", "Third9!Tokupa"]
    for password in seen:
        user.set_password(password)
        user.save()
    assert [codes_of("kr-public", password, user) for password in seen] == [
        set(),
        {"password_used_before"},
        {"password_used_before"},
    ]
    assert PasswordRecord.objects.filter(user=user).count() == 3
    assert not PasswordRecord.objects.filter(password__contains="Tokupa").exists()


def change(client: object, old: str = PASSWORD, new: str = GOOD, again: str | None = None) -> object:
    body = {"old": old, "new": new, "again": new if again is None else again}
    return client.post("/account/password/", body)  # type: ignore[attr-defined]


def test_a_change_ends_the_other_sessions_and_tokens_but_not_this_one() -> None:
    user = make_user()
    here, elsewhere, token = browser(user), browser(user), api(user)
    assert change(here).status_code == 302  # type: ignore[attr-defined]
    assert here.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302
    assert_refused(token.get("/api/v1/task/history/OPS-20260101-001"), 401, "authentication_failed")
    user.refresh_from_db()
    assert user.check_password(GOOD) and user.password_changed_at is not None
    assert Entry.objects.filter(action="password.changed", object_id=str(user.pk)).count() == 1


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [("wrong", GOOD, GOOD), (PASSWORD, "short", "short"), (PASSWORD, GOOD, GOOD + "x"), (PASSWORD, "", "")],
)
def test_a_refused_change_changes_nothing(old: str, new: str, again: str) -> None:
    user = make_user()
    client = browser(user)
    before = User.objects.values("password", "password_changed_at").get(pk=user.pk)
    response = change(client, old, new, again)
    assert response.status_code == 400 and b"field-errors" in response.content  # type: ignore[attr-defined]
    assert User.objects.values("password", "password_changed_at").get(pk=user.pk) == before


def test_a_password_too_old_leads_to_its_page_and_nowhere_else() -> None:
    user = make_user()
    client = browser(user)
    User.objects.filter(pk=user.pk).update(password_changed_at=now() - timedelta(days=91))
    for path in ("/", "/tasks/", "/account/", "/tasks/new/"):
        assert client.get(path)["Location"] == "/account/password/", path
    assert client.get("/account/password/").status_code == 200
    assert_refused(client.get("/api/v1/task/history/OPS-20260101-001"), 403, "password_expired")
    given = api().post("/api/v1/token/", {"username": user.username, "password": PASSWORD}, format="json")
    assert_refused(given, 403, "password_expired")
    assert change(client).status_code == 302  # type: ignore[attr-defined]
    assert client.get("/").status_code == 200


def test_passwords_do_not_age_by_the_asvs_profile(settings: object) -> None:
    settings.GUARDIA_PASSWORD_PROFILE = "asvs5"  # type: ignore[attr-defined]
    user = make_user()
    User.objects.filter(pk=user.pk).update(password_changed_at=now() - timedelta(days=4000))
    assert browser(user).get("/").status_code == 200
