"""TOTP: enrolled, confirmed, asked for at every way in, and each code once."""

import re
from typing import Any

import pytest
from django.db import connection

from accounts.choices import Role
from accounts.exceptions import FactorRequired, FactorState
from accounts.models import RecoveryCode, TotpDevice
from accounts.services.second_factor import (
    begin_enrolment,
    disable_factor,
    is_code_right,
    is_enrolled,
    renew_recovery_codes,
)
from audit.models import Entry
from tests.accounts.second_factor import code_of, enrol
from tests.doors import api, assert_refused, browser
from tests.factories import PASSWORD, make_institution, make_user

pytestmark = pytest.mark.django_db
TOKEN = "/api/v1/token/"


def confirmed(user: Any) -> Any:
    """A browser in which the user showed a moment ago who they are."""
    client = browser(user)
    assert client.post("/account/confirm/", {"password": PASSWORD}).status_code == 302
    return client


def test_enrolling_in_the_portal_from_the_qr_code_to_the_recovery_codes() -> None:
    user = make_user()
    client = browser(user)
    assert client.get("/account/totp/")["Location"] == "/account/confirm/?next=%2Faccount%2Ftotp%2F"
    client = confirmed(user)
    page = client.get("/account/totp/").content.decode()
    device = TotpDevice.objects.get(user=user)
    assert "<svg" in page and "http" not in page[page.index("<svg") : page.index("</svg>")].replace(
        "http://www.w3.org/2000/svg", ""
    )
    assert not device.confirmed and not is_enrolled(user)
    response = client.post("/account/totp/", {"code": "000000"})
    assert response.status_code == 400
    TotpDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    response = client.post("/account/totp/", {"code": code_of(TotpDevice.objects.get(user=user))})
    codes = re.findall(r"<li>([a-z0-9]{5}-[a-z0-9]{5})</li>", response.content.decode())
    assert response.status_code == 200 and len(set(codes)) == 10
    assert is_enrolled(user) and RecoveryCode.objects.filter(user=user).count() == 10
    assert Entry.objects.filter(action="totp.enrolled", object_id=str(user.pk)).count() == 1
    assert client.get("/account/totp/").status_code == 302  # no second key while one is in use


def test_the_key_is_sealed_and_bound_to_its_user() -> None:
    user, other = make_user(), make_user()
    device, codes = enrol(user)
    secret = device.secret()
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed FROM accounts_totpdevice WHERE id = %s", [device.pk])
        assert secret is not None and secret not in bytes(cursor.fetchone()[0])
    device.user = other
    assert device.secret() is None
    assert not RecoveryCode.objects.filter(digest__in=[code.replace("-", "") for code in codes]).exists()


def test_the_log_in_asks_for_the_code_and_takes_each_once() -> None:
    user = make_user()
    device, codes = enrol(user)
    right = code_of(device)

    def to_code() -> Any:
        client = browser()
        response = client.post("/login/", {"username": user.username, "password": PASSWORD, "next": "/tasks/"})
        assert response["Location"] == "/login/code/"
        assert client.get("/tasks/").status_code == 302  # not in yet
        return client

    client = to_code()
    response = client.post("/login/code/", {"code": right})
    assert response["Location"] == "/tasks/" and client.get("/tasks/").status_code == 200
    assert to_code().post("/login/code/", {"code": right}).status_code == 400  # used
    client = to_code()
    assert client.post("/login/code/", {"code": codes[0].upper()}).status_code == 302
    assert to_code().post("/login/code/", {"code": codes[0]}).status_code == 400
    assert browser().get("/login/code/")["Location"] == "/login/"
    assert Entry.objects.filter(action="totp.recovery_code_used").count() == 1


def test_wrong_codes_slow_the_next_down_and_lock_like_wrong_passwords() -> None:
    user = make_user()
    device, _codes = enrol(user)
    assert not is_code_right(user, "000000")
    assert not is_code_right(user, code_of(device))  # right, but too soon
    client = browser()
    for _ in range(5):
        client.post("/login/", {"username": user.username, "password": PASSWORD})
        response = client.post("/login/code/", {"code": "111111"})
    assert response.status_code == 429
    assert browser().post("/login/", {"username": user.username, "password": PASSWORD}).status_code == 429


def test_the_apis_token_takes_the_code() -> None:
    user = make_user()
    device, codes = enrol(user)
    body = {"username": user.username, "password": PASSWORD}
    assert_refused(api().post(TOKEN, body, format="json"), 401, "otp_missing")
    assert_refused(api().post(TOKEN, {**body, "otp": "12345"}, format="json"), 401, "otp_wrong")
    assert api().post(TOKEN, {**body, "otp": codes[0]}, format="json").status_code == 200
    TotpDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    assert api().post(TOKEN, {**body, "otp": code_of(device)}, format="json").status_code == 200
    wrong = {**body, "password": "wrong", "otp": codes[1]}
    assert_refused(api().post(TOKEN, wrong, format="json"), 401, "no_active_account")


def test_disabling_needs_a_fresh_proof_and_no_role_that_requires_it(settings: Any) -> None:
    user = make_user(Role.PM, make_institution())
    enrol(user)
    assert "/account/confirm/" in browser(user).post("/account/totp/disable/")["Location"]
    assert is_enrolled(user)
    settings.GUARDIA_REQUIRE_TOTP_FOR = ["PM"]
    with pytest.raises(FactorRequired):
        disable_factor(actor=user)
    settings.GUARDIA_REQUIRE_TOTP_FOR = []
    assert confirmed(user).post("/account/totp/disable/").status_code == 302
    assert not is_enrolled(user) and not RecoveryCode.objects.filter(user=user).exists()
    assert Entry.objects.filter(action="totp.disabled").count() == 1
    with pytest.raises(FactorState):
        disable_factor(actor=user)


def test_renewed_recovery_codes_end_the_old_ones() -> None:
    user = make_user()
    _device, old = enrol(user)
    new = renew_recovery_codes(actor=user)
    assert not is_code_right(user, old[0]) and is_code_right(user, new[0]) and not is_code_right(user, new[0])
    other = make_user()
    enrol(other)
    assert not is_code_right(other, new[1])
    with pytest.raises(FactorState):
        begin_enrolment(actor=user)


def test_a_role_that_requires_it_leads_to_the_page_until_it_is_set_up(settings: Any) -> None:
    settings.GUARDIA_REQUIRE_TOTP_FOR = ["SECURITY_OFFICER"]
    institution = make_institution()
    officer, lead = make_user(Role.SECURITY_OFFICER, institution), make_user(Role.TEAM_LEAD, institution)
    assert browser(lead).get("/").status_code == 200
    client = browser(officer)
    assert client.get("/")["Location"] == client.get("/admin/")["Location"] == "/account/totp/"
    body = {"username": officer.username, "password": PASSWORD}
    assert_refused(api().post(TOKEN, body, format="json"), 403, "totp_required")
    enrol(officer)
    assert client.get("/").status_code == 200
