"""Rates: one way for pages, forms and the API, kept in the database; refusals say when, and are few entries."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import OperationalError, connection
from django.db.models import F
from django.test import Client
from rest_framework.test import APIClient

from accounts.exceptions import RateExceeded
from accounts.models import RateBucket, User
from accounts.rates import forget_empty_buckets, rate_of, stranger, take
from audit.models import Entry
from tests.doors import HISTORY, INTAKE, api, assert_refused, browser
from tests.factories import PASSWORD, Tenant, make_user
from tests.snapshot import nothing_changes
from tests.threads import race

pytestmark = pytest.mark.django_db
REQUESTS, FORMS = "GUARDIA_RATE_REQUESTS", "GUARDIA_RATE_FORMS"


def let_pass(seconds: float) -> None:
    RateBucket.objects.update(empty_at=F("empty_at") - timedelta(seconds=seconds))


def entries() -> int:
    return Entry.objects.filter(action="rate.exceeded").count()


@pytest.mark.parametrize("text", ["200/h", "1/min", "5/h"])
def test_a_rate_takes_its_count_at_once_and_then_what_flows_off(text: str, settings: Any) -> None:
    settings.GUARDIA_RATE_REQUESTS, rate = text, rate_of(text)
    assert rate is not None
    for _time in range(rate.count):
        take("REQUESTS", "address:x")
    with pytest.raises(RateExceeded) as refused:
        take("REQUESTS", "address:x")
    each = rate.seconds / rate.count
    assert 1 <= refused.value.details["seconds"] <= each + 1  # type: ignore[operator]
    take("REQUESTS", "address:y")
    let_pass(each + 0.01)
    take("REQUESTS", "address:x")
    with pytest.raises(RateExceeded):
        take("REQUESTS", "address:x")
    let_pass(rate.seconds)
    for _time in range(rate.count):
        take("REQUESTS", "address:x")


def test_what_a_former_setting_filled_holds_nobody_up(settings: Any) -> None:
    settings.GUARDIA_RATE_REQUESTS = "2/h"
    for _time in range(2):
        take("REQUESTS", "address:x")
    settings.GUARDIA_RATE_REQUESTS = "3/min"
    for _time in range(3):
        take("REQUESTS", "address:x")
    with pytest.raises(RateExceeded):
        take("REQUESTS", "address:x")


def test_a_rate_that_is_off_counts_nothing(settings: Any) -> None:
    settings.GUARDIA_RATE_REQUESTS = "off"
    take("REQUESTS", "address:x")
    assert not RateBucket.objects.exists()


@pytest.mark.parametrize("text", ["", "600", "0/min", "-1/min", "600/day", "six/min", "1.5/s", "٣/min", "600 / min"])
def test_what_is_no_rate_stops_the_start(text: str, settings: Any) -> None:
    settings.GUARDIA_RATE_FORMS = text
    assert [found.id for found in run_checks() if str(found.id).startswith("guardia.")] == ["guardia.E011"]


@pytest.mark.django_db(transaction=True)
def test_processes_count_together(settings: Any) -> None:
    settings.GUARDIA_RATE_REQUESTS = "5/h"
    taken: list[bool] = []

    def ask() -> None:
        try:
            take("REQUESTS", "address:x")
        except RateExceeded:
            return
        taken.append(True)

    race([ask] * 12)
    assert len(taken) == 5 and entries() == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("not-an-address", "", True),
    ],
)
def test_who_is_one_stranger(one: str, other: str, same: bool) -> None:
    assert (stranger(one) == stranger(other)) is same


@pytest.mark.parametrize(("language", "words"), [("ko", "너무 많은 요청"), ("en", "Too many requests")])
def test_a_user_is_asked_to_wait_on_a_page_without_a_query(language: str, words: str, settings: Any) -> None:
    settings.GUARDIA_RATE_REQUESTS = "2/h"
    user = make_user()
    client = browser(user, language)
    assert [client.get("/more/").status_code for _time in range(2)] == [200, 200]
    response = client.get("/more/")
    text = response.content.decode()
    assert response.status_code == 429 and words in text and f'lang="{language}"' in text
    seconds = response["Retry-After"]
    assert 0 < int(seconds) <= 1800 and seconds in text
    assert "Content-Security-Policy" in response and "Traceback" not in text
    assert client.get("/admin/").status_code == 429
    assert browser(make_user()).get("/more/").status_code == 200, "another user's is untouched"
    assert [client.get(path).status_code for path in ("/health/live", "/health/ready")] == [200, 200]


def test_forms_have_a_rate_of_their_own_and_nothing_changes_beyond_it(settings: Any) -> None:
    settings.GUARDIA_RATE_FORMS = "1/h"
    tenant = Tenant()
    client = browser(tenant.site_manager)
    form = {"text": f"{tenant.system.name} 상태 점검해 주세요", "key": "a"}
    assert client.post("/tasks/new/", form).status_code == 302
    told = entries()
    with pytest.raises(AssertionError), nothing_changes():
        assert client.post("/tasks/new/", {**form, "key": "b"}).status_code == 429
    assert entries() == told + 1
    with nothing_changes():
        assert client.post("/tasks/new/", {**form, "key": "c"}).status_code == 429
    assert client.get("/tasks/").status_code == 200, "looking goes on"


def test_strangers_are_counted_by_their_address(settings: Any) -> None:
    settings.GUARDIA_RATE_FORMS = "2/h"
    user = make_user()
    guess = {"username": "nobody", "password": "wrong"}

    def post(path: str, address: str, **more: Any) -> int:
        return int(Client(REMOTE_ADDR=address).post(path, more or guess).status_code)

    assert [post("/login/", "192.0.2.1") for _time in range(3)] == [200, 200, 429]
    body = assert_refused(
        APIClient(REMOTE_ADDR="192.0.2.1", HTTP_ACCEPT_LANGUAGE="en").post("/api/v1/token/", guess), 429, "throttled"
    )
    assert body["details"]["seconds"] > 0, "pages and API are one door"
    assert post("/login/", "192.0.2.2", username=user.username, password=PASSWORD) == 302
    entry = Entry.objects.filter(action="rate.exceeded").get()
    assert (entry.actor, json.loads(entry.body)["facts"]["rate"]) == ("stranger", "forms")


def test_a_header_is_no_way_around_the_rate_of_strangers(settings: Any) -> None:
    settings.GUARDIA_RATE_REQUESTS = "2/h"
    for header in ("Bearer grd_" + "x" * 43, "Bearer a.b.c", "Basic eDp5", "nonsense"):
        RateBucket.objects.all().delete()
        client = APIClient(HTTP_AUTHORIZATION=header, HTTP_ACCEPT_LANGUAGE="en")
        answers = [client.get(HISTORY + "x") for _time in range(4)]
        assert [answer.status_code for answer in answers] == [401, 401, 429, 429], header
        assert int(answers[-1]["Retry-After"]) > 0
        RateBucket.objects.all().delete()
        guesses = [client.post("/api/v1/token/", {"username": "x", "password": "y"}) for _time in range(4)]
        assert guesses[-1].status_code == 429, header


def test_a_bearer_counts_as_the_user(settings: Any) -> None:
    settings.GUARDIA_RATE_REQUESTS, settings.GUARDIA_RATE_FORMS = "2/h", "1/h"
    user: User = Tenant().site_manager
    assert api(user).get(HISTORY + "x").status_code == 404
    assert browser(user).get("/more/").status_code == 200
    assert_refused(api(user).get(HISTORY + "x"), 429, "throttled")
    settings.GUARDIA_RATE_REQUESTS = "9/h"
    sent = [api(make_user()).post(INTAKE, {"text": ""}, format="json").status_code for _time in range(2)]
    assert 429 not in sent, "programs file by the API as fast as they may ask"


def test_a_flood_from_everywhere_does_not_flood_the_chain(settings: Any) -> None:
    settings.GUARDIA_RATE_REQUESTS = "1/h"
    client = Client()
    for number in range(70):
        answers = [client.get("/login/", REMOTE_ADDR=f"192.0.2.{number}").status_code for _time in range(3)]
        assert answers == [200, 429, 429]
    assert entries() == 60
    let_pass(3601)
    client.get("/login/", REMOTE_ADDR="192.0.2.1")
    client.get("/login/", REMOTE_ADDR="192.0.2.1")
    assert entries() == 61


def test_buckets_that_say_nothing_are_forgotten() -> None:
    take("REQUESTS", "address:x")
    take("REQUESTS", "address:y")
    RateBucket.objects.filter(key__endswith="y").update(empty_at=F("empty_at") - timedelta(hours=1))
    assert forget_empty_buckets() == 1
    assert RateBucket.objects.get().key == "REQUESTS:address:x"


def test_a_database_that_is_away_refuses_nobody() -> None:
    def away(*_args: Any) -> None:
        raise OperationalError("away")

    with connection.execute_wrapper(away):
        take("REQUESTS", "address:x")
