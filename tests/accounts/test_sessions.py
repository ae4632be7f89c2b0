"""Sessions end by themselves, by their user, and by an administrator; the user hears of a second log-in."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.choices import Role, SessionEnd
from accounts.models import User, UserSession
from audit.models import Entry
from governance.services.accounts import disable_account, enable_account
from guardia.common.clock import now
from guardia.common.errors import InvalidInput, NotPermitted
from tests.doors import api, assert_refused, browser
from tests.factories import PASSWORD, make_institution, make_user
from tests.snapshot import nothing_changes

pytestmark = pytest.mark.django_db
HISTORY = "/api/v1/task/history/OPS-20260101-001"


@pytest.mark.parametrize(
    ("started", "seen", "reason"),
    [
        (timedelta(), timedelta(minutes=29), ""),
        (timedelta(), timedelta(minutes=31), "IDLE"),
        (timedelta(hours=7, minutes=59), timedelta(), ""),
        (timedelta(hours=8, minutes=1), timedelta(), "EXPIRED"),
    ],
)
def test_the_two_limits(started: timedelta, seen: timedelta, reason: str) -> None:
    user = make_user()
    client = browser(user)
    UserSession.objects.update(started_at=now() - started, last_seen_at=now() - seen)
    response = client.get("/tasks/")
    assert response.status_code == (302 if reason else 200)
    assert UserSession.objects.get(user=user).ended_by == reason
    if reason:
        assert str(SessionEnd(reason).label).encode() in client.get("/login/").content
    else:
        assert now() - UserSession.objects.get(user=user).last_seen_at < timedelta(minutes=1)


def test_a_session_without_its_row_is_no_session() -> None:
    user, other = make_user(), make_user()
    client = browser(user)
    UserSession.objects.all().delete()
    assert client.get("/tasks/").status_code == 302
    client, _other = browser(user), browser(other)
    session = client.session
    session["guardia_session"] = UserSession.objects.get(user=other).pk
    session.save()
    assert client.get("/tasks/").status_code == 302


def test_logging_out_ends_the_row() -> None:
    user = make_user()
    browser(user).post("/logout/")
    assert UserSession.objects.get(user=user).ended_by == "LOGGED_OUT"


def test_a_second_log_in_is_told_with_time_and_address() -> None:
    user = make_user()
    client = browser(user)
    assert not user.notifications.exists()
    browser().post("/login/", {"username": user.username, "password": PASSWORD}, REMOTE_ADDR="127.0.0.7")
    told = user.notifications.get()
    second = UserSession.objects.filter(user=user).latest("pk")
    assert "127.0.0.7" in told.text and second.started_at.strftime("%Y-%m") in told.text
    page = client.get("/account/").content.decode()
    assert "127.0.0.7" in page and f"/account/sessions/{second.pk}/end/" in page


def test_one_ends_ones_own_sessions_and_nobody_elses() -> None:
    user, other = make_user(), make_user()
    client, elsewhere, _others = browser(user), browser(user), browser(other)
    second = UserSession.objects.filter(user=user).latest("pk")
    assert client.post(f"/account/sessions/{second.pk}/end/").status_code == 302
    assert elsewhere.get("/tasks/").status_code == 302 and client.get("/tasks/").status_code == 200
    assert Entry.objects.filter(action="session.ended_by_user").count() == 1
    theirs = UserSession.objects.get(user=other)
    with nothing_changes():
        assert client.post(f"/account/sessions/{theirs.pk}/end/").status_code == 404


def test_a_disabled_account_opens_nothing_and_comes_back_with_a_new_log_in() -> None:
    institution = make_institution()
    user, administrator = make_user(Role.PM, institution), make_user(Role.ADMINISTRATOR, institution)
    client, bearer = browser(user), api(user)
    disable_account(actor=administrator, user=user, reason="퇴직")
    assert client.get("/tasks/").status_code == 302
    assert_refused(bearer.get(HISTORY), 401, "authentication_failed")
    assert UserSession.objects.get(user=user).ended_by == "DISABLED"
    enable_account(actor=administrator, user=user, reason="복직")
    assert client.get("/tasks/").status_code == 302  # the old session stays ended
    assert browser(user).get("/tasks/").status_code == 200
    actions = Entry.objects.filter(action__startswith="account.", object_id=str(user.pk))
    assert list(actions.order_by("pk").values_list("action", flat=True)) == ["account.disabled", "account.enabled"]


def test_who_may_disable_whom() -> None:
    here, there = make_institution(), make_institution()
    user, administrator = make_user(Role.PM, here), make_user(Role.ADMINISTRATOR, here)
    root, both = make_user(is_superuser=True), make_user(Role.PM, here)
    both.memberships.create(institution=there, role=Role.AUDITOR)
    cases: list[tuple[User, User, str, Any]] = [
        (user, administrator, "x", NotPermitted),
        (make_user(Role.ADMINISTRATOR, there), user, "x", NotPermitted),
        (administrator, administrator, "x", NotPermitted),
        (root, root, "x", NotPermitted),
        (administrator, root, "x", NotPermitted),
        (administrator, both, "x", NotPermitted),
        (administrator, make_user(), "x", NotPermitted),
        (administrator, user, " ", InvalidInput),
    ]
    for service in (disable_account, enable_account):
        for actor, target, reason, error in cases:
            with nothing_changes(), pytest.raises(error):
                service(actor=actor, user=target, reason=reason)
    disable_account(actor=root, user=both, reason="x")
    disable_account(actor=make_user(Role.ADMINISTRATOR), user=both, reason="again")
    assert Entry.objects.filter(action="account.disabled").count() == 1
