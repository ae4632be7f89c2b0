"""Five failures of one name from one address: a quarter of an hour of silence, at every door, for every name."""

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from rest_framework.test import APIClient

from accounts.models import User
from audit.models import Entry
from guardia.common.clock import now
from tests.audit.words import words_of
from tests.doors import api, assert_refused, browser
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
TOKEN = "/api/v1/token/"


def page(name: str, password: str, address: str = "127.0.0.1", language: str = "en") -> Any:
    return browser(language=language).post("/login/", {"username": name, "password": password}, REMOTE_ADDR=address)


def token(name: str, password: str, address: str = "127.0.0.1") -> Any:
    body = {"username": name, "password": password}
    return APIClient(HTTP_ACCEPT_LANGUAGE="en").post(TOKEN, body, format="json", REMOTE_ADDR=address)


def test_the_fifth_failure_locks_both_doors_and_the_right_password_does_not_help() -> None:
    user = make_user()
    answers = [page(user.username, f"wrong{n}").status_code for n in range(3)]
    answers += [token(user.username, f"wrong{n}").status_code for n in range(2)]
    assert answers == [200, 200, 200, 401, 429]
    assert page(user.username, PASSWORD).status_code == 429
    body = assert_refused(token(user.username, PASSWORD), 429, "locked_out")
    assert body["details"] == {"minutes": 15}
    assert Entry.objects.filter(action="session.locked_out", object_id=str(user.pk)).count() == 1


def test_the_page_says_so_in_korean() -> None:
    user = make_user()
    for _ in range(5):
        response = page(user.username, "wrong", language="ko")
    text = response.content.decode()
    assert response.status_code == 429 and "15분" in text and user.username not in text


def test_a_lock_is_for_one_name_from_one_address() -> None:
    user, other = make_user(), make_user()
    for _ in range(5):
        page(user.username, "wrong")
    assert page(user.username, PASSWORD, address="127.0.0.2").status_code == 302
    assert page(other.username, PASSWORD).status_code == 302
    assert page(user.username, PASSWORD).status_code == 429


def test_a_lock_ends_by_itself_and_a_log_in_begins_the_count_anew() -> None:
    user = make_user()
    for _ in range(4):
        page(user.username, "wrong")
    assert page(user.username, PASSWORD).status_code == 302
    for _ in range(4):
        assert page(user.username, "wrong").status_code == 200
    assert page(user.username, "wrong").status_code == 429
    AccessAttempt.objects.update(attempt_time=now() - timedelta(minutes=16))
    assert page(user.username, PASSWORD).status_code == 302


def test_nobody_learns_which_names_exist() -> None:
    user, retired = make_user(), make_user(is_active=False)
    for door in (page, token):
        for _ in range(6):
            known, left, unknown = (door(name, "wrong") for name in (user.username, retired.username, "nobody-here"))
            assert known.status_code == left.status_code == unknown.status_code
            if door is token:
                assert known.json() == left.json() == unknown.json()
        AccessAttempt.objects.all().delete()
    assert Entry.objects.filter(action="session.locked_out").count() == 6


def test_a_password_typed_as_a_name_is_kept_nowhere() -> None:
    for _ in range(5):
        page("MyS3cret!Passw0rd", "x")
        token("MyS3cret!Passw0rd", "x")
    kept = str(list(AccessAttempt.objects.values())) + "".join(words_of(entry) for entry in Entry.objects.all())
    assert AccessAttempt.objects.exists() and "MyS3cret" not in kept


def test_a_token_given_is_an_entry_of_the_chain() -> None:
    user = make_user()
    assert token(user.username, PASSWORD).status_code == 200
    entry = Entry.objects.get(action="session.logged_in", object_id=str(user.pk))
    assert '"channel":"api"' in entry.body
    assert api(user).get("/api/v1/task/history/OPS-20260101-001").status_code == 404
    assert User.objects.get(pk=user.pk).sessions.count() == 0
