"""The queue, the calendar and the panel that says why a task waits."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import Role
from execution.models import Run
from execution.rollout.start_run import start_run
from governance.calendar import SEOUL, Weekly
from governance.choices import OnHolidays
from governance.models import ChangeWindow, Freeze
from governance.selectors_windows import Hours
from governance.services.freeze_exceptions import request_freeze_exception
from guardia.common.clock import now
from guardia.month import month_of, span_of
from guardia.waiting import queue_of, waits_of
from tests.doors import browser
from tests.factories import Tenant, make_server, make_user
from tests.governance.hours import closed_window, freeze
from tickets.models import OpsTask

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.fixture
def tenant() -> Tenant:
    return Tenant(servers=1)


def kinds(*tasks: OpsTask) -> list[str]:
    rows = [OpsTask.objects.get(pk=task.pk) for task in tasks]
    waits = waits_of(rows)
    return [waits[row.pk].kind if row.pk in waits else "" for row in rows]


def test_every_task_says_what_it_waits_for(tenant: Tenant) -> None:
    asked, _plan = tenant.planned()
    first, _plan = tenant.approved()
    second, _plan = tenant.approved()
    assert kinds(asked, first, second) == ["approval", "turn", "turn"]
    run = start_run(first.pk)
    assert run is not None and start_run(second.pk) is None
    assert kinds(asked, first, second) == ["approval", "", "lock"]
    lock = waits_of([OpsTask.objects.get(pk=second.pk)])[second.pk]
    assert first.task_id in lock.words and tenant.servers[0].hostname in lock.words
    closed_window(tenant.institution)
    start_run(second.pk)
    assert kinds(second) == ["WINDOW"]
    freeze(None)
    assert kinds(asked, second) == ["approval", "FREEZE"]
    OpsTask.objects.filter(pk=second.pk).update(scheduled_for=now() + timedelta(days=3))
    assert kinds(second) == ["LATER"]
    Run.objects.filter(pk=run.pk).update(held_at=now(), held_because="because")
    assert kinds(first) == ["held"]
    queued = list(queue_of(OpsTask.objects.all()))
    assert queued == [asked, first, second]


def test_the_queue_goes_by_priority_urgency_and_age(tenant: Tenant) -> None:
    tasks = [tenant.file() for _number in range(4)]
    OpsTask.objects.update(status="APP", is_urgent=False)
    OpsTask.objects.filter(pk=tasks[2].pk).update(is_urgent=True)
    OpsTask.objects.filter(pk=tasks[3].pk).update(priority=2)
    assert list(queue_of(OpsTask.objects.all())) == [tasks[3], tasks[2], tasks[0], tasks[1]]


def test_a_page_of_the_queue_costs_at_most_twenty_queries(tenant: Tenant) -> None:
    for _number in range(3):
        tenant.servers.append(make_server(tenant.system))
    for _number in range(6):
        tenant.planned()
    closed_window(tenant.institution)
    freeze(None)
    clients = {"pm": browser(tenant.pm), "site manager": browser(tenant.site_manager)}
    counts: dict[str, list[int]] = {}
    for status in ("PEN", "APP"):
        OpsTask.objects.update(status=status)
        for who, client in clients.items():
            with CaptureQueriesContext(connection) as queries:
                assert client.get("/queue/").status_code == 200
            counts.setdefault(who, []).append(len(queries))
    assert max(count for found in counts.values() for count in found) <= 20, counts
    with CaptureQueriesContext(connection) as queries:
        assert clients["pm"].get("/calendar/").status_code == 200
    assert len(queries) <= 20


def test_the_queue_has_pages(tenant: Tenant) -> None:
    for _number in range(23):
        tenant.file()
    OpsTask.objects.update(status="APP")
    client = browser(tenant.pm)
    assert client.get("/queue/").content.decode().count('class="queue-number"') == 20
    second = client.get("/queue/?page=2").content.decode()
    assert second.count('class="queue-number"') == 3 and '<ol class="rows queue" start="21">' in second


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SEOUL)


def test_a_month_shows_open_closed_frozen_days_and_holidays() -> None:
    nights = Weekly(frozenset(range(5)), time(22), time(2), OnHolidays.FORBIDDEN)
    always = Weekly(frozenset({6}), time(0), time(0), OnHolidays.ALLOWED)
    rows = [
        Freeze(name="국정감사", starts_at=at("2026-10-12"), ends_at=at("2026-10-14 23:00")),
    ]
    weeks = month_of(date(2026, 10, 1), Hours([nights, always], rows, {date(2026, 10, 20): "창립일"}))
    days = {day.date.day: day for week in weeks for day in week if day is not None}
    assert [len(week) for week in weeks] == [7] * 5 and len(days) == 31
    assert weeks[0][:4] == [None] * 4, "October 2026 begins on a Thursday"
    expected: dict[int, tuple[str, tuple[str, ...]]] = {
        1: ("part", ("00:00–02:00", "22:00–24:00")),
        3: ("closed", ()),  # Saturday, and a holiday
        4: ("open", ()),
        9: ("closed", ()),  # Hangul Day
        10: ("part", ("00:00–02:00",)),
        12: ("frozen", ()),
        14: ("part", ("23:00–24:00",)),
        17: ("part", ("00:00–02:00",)),
        20: ("closed", ()),
    }
    assert {number: (days[number].state, days[number].hours) for number in expected} == expected
    assert (days[9].holiday, days[20].holiday, days[13].freezes) == ("Hangul Day", "창립일", ("국정감사",))
    assert span_of(date(2026, 12, 1)).end == at("2027-01-01")


@pytest.mark.parametrize("query", ["month=2026-13", "month=x", "month=0001-01", "of=s999999", "of=i0", "of=%00"])
def test_the_calendar_takes_any_question(tenant: Tenant, query: str) -> None:
    assert browser(tenant.site_manager).get(f"/calendar/?{query}").status_code == 200


def forms(user: Any, task: OpsTask) -> set[str]:
    text = browser(user).get(f"/tasks/{task.task_id}/").content.decode()
    acts = ("later", "priority", "exception", "resume")
    found = {act for act in acts if f'action="/tasks/{task.task_id}/{act}/"' in text}
    return found | (
        {"decide"} if f'action="/tasks/{task.task_id}/exception/' in text.replace('exception/"', "") else set()
    )


def test_the_panel_offers_to_each_what_they_may_do(tenant: Tenant) -> None:
    task, _plan = tenant.approved()
    row = freeze(tenant.institution)
    assert forms(tenant.pm, task) == {"later", "priority", "exception"}
    assert forms(tenant.site_manager, task) == {"exception"}
    assert forms(tenant.owner, task) == set()
    request_freeze_exception(actor=tenant.pm, task_id=task.task_id, freeze_pk=row.pk, reason="why")
    assert forms(tenant.pm, task) == {"later", "priority"}
    assert forms(tenant.security, task) == {"decide"}
    Freeze.objects.filter(pk=row.pk).update(ends_at=now() - timedelta(minutes=1), starts_at=now() - timedelta(days=1))
    run = start_run(task.pk)
    Run.objects.filter(pk=run.pk).update(held_at=now(), held_because="because")  # type: ignore[union-attr]
    assert "resume" in forms(tenant.pm, task)
    assert "resume" not in forms(tenant.owner, task)


def test_the_acts_of_the_panel_reach_their_services(tenant: Tenant) -> None:
    task, _plan = tenant.approved()
    row, client = freeze(tenant.institution), browser(tenant.pm)
    path = f"/tasks/{task.task_id}"
    tomorrow = now() + timedelta(days=1)
    for act, body in (
        ("priority", {"priority": "1", "reason": "장애"}),
        ("later", {"scheduled_for": tomorrow.astimezone(SEOUL).strftime("%Y-%m-%dT%H:%M")}),
        ("exception", {"freeze": row.pk, "reason": "보안"}),
    ):
        assert client.post(f"{path}/{act}/", body).status_code == 302, act
    saved = OpsTask.objects.get(pk=task.pk)
    assert saved.priority == 1
    assert saved.scheduled_for == tomorrow.replace(second=0, microsecond=0)
    asked = saved.freeze_exceptions.get()
    decision = {"decision": "APPROVE", "comment": ""}
    assert browser(tenant.pm).post(f"{path}/exception/{asked.pk}/", decision).status_code == 403
    assert browser(tenant.security).post(f"{path}/exception/{asked.pk}/", decision).status_code == 302
    assert client.post(f"{path}/priority/", {"priority": "9", "reason": "x"}).status_code == 400
    assert client.post(f"{path}/later/", {"scheduled_for": "soon"}).status_code == 400
    assert client.post(f"{path}/resume/", {"reason": "x"}).status_code == 409


def test_the_admin_saves_through_the_service(tenant: Tenant) -> None:
    operator = browser(make_user(Role.OPERATOR, tenant.institution))
    form = {
        "name": "야간",
        "institution": tenant.institution.pk,
        "weekdays": ["0", "4"],
        "starts_at": "22:00",
        "ends_at": "06:00",
        "on_holidays": "FORBIDDEN",
        "is_active": "on",
    }
    assert operator.post("/admin/governance/changewindow/add/", form).status_code == 302
    window = ChangeWindow.objects.get()
    assert window.weekdays == [0, 4]
    other = make_server(Tenant(servers=1).system).system
    bad = operator.post(f"/admin/governance/changewindow/{window.pk}/change/", {**form, "system": other.pk})
    assert bad.status_code == 200, "not a choice"
    dates = {"starts_at_0": "2026-12-20", "starts_at_1": "00:00", "ends_at_0": "2026-12-31", "ends_at_1": "00:00"}
    all_of_us = {"name": "연말", "reason": "정산", **dates}
    refused = operator.post("/admin/governance/freeze/add/", all_of_us, follow=True)
    assert not Freeze.objects.exists() and "Only these roles" in refused.content.decode()
    assert operator.post("/admin/governance/freeze/add/", {**all_of_us, "institution": tenant.institution.pk})
    row = Freeze.objects.get()
    assert operator.post(f"/admin/governance/freeze/{row.pk}/change/", all_of_us).status_code == 403
    assert operator.post("/admin/governance/accessrange/add/", {}).status_code == 403
