"""Log-ins reach the system's chain; what a stranger typed does not."""

import json

import pytest

from accounts.models import User
from audit.models import Entry
from tests.audit.words import words_of
from tests.doors import api, browser
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def entries() -> list[tuple[str, str, dict[str, object]]]:
    rows = Entry.objects.filter(chain__key="system", action__startswith="session.").order_by("number")
    return [(row.action, row.actor, json.loads(row.body)["facts"]) for row in rows]


def test_in_and_out_are_recorded_under_the_user() -> None:
    user = make_user()
    client = browser()
    response = client.post("/login/", {"username": user.username, "password": PASSWORD})
    assert response.status_code == 302
    assert client.post("/logout/").status_code == 302
    who = f"user:{user.pk}:{user.username}"
    assert entries() == [("session.logged_in", who, {}), ("session.logged_out", who, {})]
    body = json.loads(Entry.objects.filter(action="session.logged_in").latest("pk").body)
    assert (body["source_ip"], body["channel"]) == ("127.0.0.1", "portal")


@pytest.mark.parametrize("door", ["page", "token"])
def test_a_failed_log_in_keeps_neither_what_was_typed_as_name_nor_as_password(door: str) -> None:
    known = make_user(username="kim")
    typed = [("hunter2-in-the-wrong-field", "typed-secret-1"), (known.username, "typed-secret-2"), ("\x00", "x")]
    for name, password in typed:
        body = {"username": name, "password": password}
        if door == "page":
            assert browser().post("/login/", body).status_code == 200
        else:
            assert api().post("/api/v1/token/", body, format="json").status_code in (400, 401)
    failed = [entry for entry in entries() if entry[0] == "session.login_failed"]
    assert [(actor, facts["name_known"]) for _action, actor, facts in failed][:2] == [
        ("stranger", False),
        ("stranger", True),
    ]
    text = " ".join(words_of(entry) for entry in Entry.objects.all())
    for secret in ("hunter2", "typed-secret", PASSWORD):
        assert secret not in text
    assert User.objects.get(pk=known.pk).last_login is None
