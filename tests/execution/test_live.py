"""The websocket of a run: nothing lost, nothing twice, nothing to strangers, whatever breaks in between."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.db import connection, transaction
from django.test import Client

from accounts.models import User
from execution.live.events import append_event
from execution.live.listener import Listener
from execution.models import Run, RunEvent
from execution.rollout.start_run import start_run
from guardia.asgi import application
from tests.factories import Tenant, make_user

NOT_VISIBLE = 4404
PATIENCE = 20


@pytest.fixture(autouse=True)
def own_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has an event loop of its own, so it needs a listener of its own."""
    monkeypatch.setattr("execution.consumers.listener", Listener())


@pytest.fixture
def tenant(transactional_db: None) -> Tenant:
    return Tenant(servers=1)


@pytest.fixture
def run(tenant: Tenant) -> Run:
    task, _plan = tenant.approved()
    started = start_run(task.pk)
    assert started is not None
    return started


class Page:
    """A browser's page that watches a run, as the portal's router sees it."""

    def __init__(self, run: Run, cookie: str, after: str = "0") -> None:
        scope = {
            "type": "websocket",
            "path": f"/ws/runs/{run.pk}/",
            "query_string": f"after={after}".encode(),
            "headers": [(b"origin", b"http://127.0.0.1"), (b"cookie", f"sessionid={cookie}".encode())],
            "subprotocols": [],
        }
        self.socket = ApplicationCommunicator(application, scope)
        self.numbers: list[int] = []

    async def __aenter__(self) -> "Page":
        await self.socket.send_input({"type": "websocket.connect"})
        assert (await self.socket.receive_output(PATIENCE))["type"] == "websocket.accept"
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.socket.wait(PATIENCE)

    async def read_until(self, number: int) -> None:
        while not self.numbers or self.numbers[-1] < number:
            message = json.loads((await self.socket.receive_output(PATIENCE))["text"])
            assert set(message) == {"events"}
            self.numbers += [event["number"] for event in message["events"]]

    async def says_nothing(self) -> bool:
        return await self.socket.receive_nothing(0.3)

    async def send(self, **content: str | bytes) -> None:
        await self.socket.send_input({"type": "websocket.receive", **content})

    async def closed_with(self) -> int:
        message = await self.socket.receive_output(PATIENCE)
        assert message["type"] == "websocket.close", message
        return int(message["code"])


def cookie_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def append(run: Run, count: int, at_once: int = 1) -> None:
    for _ in range(0, count, at_once):
        with transaction.atomic():
            for _ in range(at_once):
                append_event(run, "note", text="한글 <b>&amp;")


async def aside(work: Callable[[], Any]) -> None:
    """Do it in another thread, with a database connection of its own."""

    def body() -> None:
        try:
            work()
        finally:
            connection.close()

    await asyncio.to_thread(body)


def play(scene: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        try:
            await asyncio.wait_for(scene(), 60)
        finally:
            await sync_to_async(lambda: connection.close())()  # the one of the thread that the pages share

    asyncio.run(whole())


def test_a_page_gets_what_came_after_its_last_number(run: Run, tenant: Tenant) -> None:
    append(run, 9)
    cookie = cookie_of(tenant.site_manager)

    async def scene() -> None:
        for after in (0, 4, 9):
            async with Page(run, cookie, str(after)) as page:
                await page.read_until(10)
                assert page.numbers == list(range(after + 1, 11))
        async with Page(run, cookie, "10") as page:
            assert await page.says_nothing()
            await aside(lambda: append(run, 1))
            await page.read_until(11)
            assert page.numbers == [11]

    play(scene)


def test_a_long_history_comes_in_order(run: Run, tenant: Tenant) -> None:
    append(run, 1200, at_once=400)
    cookie = cookie_of(tenant.pm)

    async def scene() -> None:
        async with Page(run, cookie) as page:
            await page.read_until(1201)
            assert page.numbers == list(range(1, 1202))

    play(scene)


def test_no_event_is_lost_or_doubled_while_many_write(run: Run, tenant: Tenant) -> None:
    cookie, each, writers = cookie_of(tenant.owner), 60, 3
    last = 1 + each * writers

    async def scene() -> None:
        writing = [asyncio.create_task(aside(lambda: append(run, each))) for _ in range(writers)]
        async with Page(run, cookie) as first, Page(run, cookie) as second:
            await asyncio.gather(first.read_until(last), second.read_until(last))
        await asyncio.gather(*writing)
        assert first.numbers == second.numbers == list(range(1, last + 1))

    play(scene)


def test_a_page_that_reconnects_again_and_again_misses_nothing(run: Run, tenant: Tenant) -> None:
    cookie = cookie_of(tenant.site_manager)

    async def scene() -> None:
        writing = asyncio.create_task(aside(lambda: append(run, 150)))
        numbers: list[int] = []
        while not numbers or numbers[-1] < 151:
            last = numbers[-1] if numbers else 0
            async with Page(run, cookie, str(last)) as page:
                await page.read_until(last + 1)
                numbers += page.numbers
        await writing
        assert numbers == list(range(1, 152))

    play(scene)


def test_an_event_is_seen_only_when_it_is_committed(run: Run, tenant: Tenant) -> None:
    cookie = cookie_of(tenant.site_manager)
    appended, go_on = threading.Event(), threading.Event()

    def undecided() -> None:
        with transaction.atomic():
            append_event(run, "note")
            appended.set()
            go_on.wait(PATIENCE)
            transaction.set_rollback(True)

    async def scene() -> None:
        async with Page(run, cookie) as page:
            await page.read_until(1)
            writing = asyncio.create_task(aside(undecided))
            await asyncio.to_thread(appended.wait, PATIENCE)
            assert await page.says_nothing()
            go_on.set()
            await writing
            await aside(lambda: append(run, 1))
            await page.read_until(2)
            assert page.numbers == [1, 2]

    play(scene)
    assert RunEvent.objects.filter(run=run).count() == 2


def test_strangers_are_sent_away(run: Run) -> None:
    other = Tenant(servers=0)
    cookies = [cookie_of(other.pm), cookie_of(make_user()), "", "no-such-session"]

    async def scene() -> None:
        for cookie in cookies:
            async with Page(run, cookie) as page:
                assert await page.closed_with() == NOT_VISIBLE

    play(scene)


def test_a_run_that_is_not_there_looks_like_one_of_another_tenant(run: Run, tenant: Tenant) -> None:
    cookie = cookie_of(tenant.pm)

    async def scene() -> None:
        for pk in (run.pk + 1000, 10**30):
            async with Page(Run(pk=pk), cookie) as page:
                assert await page.closed_with() == NOT_VISIBLE

    play(scene)


def disable(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def expel(user: User) -> None:
    user.memberships.all().delete()


@pytest.mark.parametrize("lose_rights", [disable, expel])
def test_who_may_no_longer_see_it_is_sent_away_at_the_next_event(
    run: Run, tenant: Tenant, lose_rights: Callable[[User], None]
) -> None:
    cookie = cookie_of(tenant.site_manager)

    async def scene() -> None:
        async with Page(run, cookie) as page:
            await page.read_until(1)
            await aside(lambda: lose_rights(tenant.site_manager))
            await aside(lambda: append(run, 1))
            assert await page.closed_with() == NOT_VISIBLE

    play(scene)


def kill_listener() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%%'"
        )
        return int(cursor.fetchone()[0])


def test_nothing_is_lost_when_the_listeners_connection_dies(run: Run, tenant: Tenant) -> None:
    cookie = cookie_of(tenant.site_manager)
    killed: list[int] = []

    async def scene() -> None:
        async with Page(run, cookie) as page:
            await page.read_until(1)
            for number in (2, 3):
                while len(killed) < number - 1:
                    await aside(lambda: killed.append(1) if kill_listener() else None)
                await aside(lambda: append(run, 1))  # nobody listens now
                await page.read_until(number)
            assert page.numbers == [1, 2, 3]

    play(scene)


@pytest.mark.parametrize(
    "after", ["-1", "abc", "", "%D9%A3", "9" * 30, "1e3", "0;DROP", "1.5", "%00", "0&after=1", "+1"]
)
def test_a_hostile_number_is_taken_as_none(run: Run, tenant: Tenant, after: str) -> None:
    cookie = cookie_of(tenant.site_manager)

    async def scene() -> None:
        async with Page(run, cookie, after) as page:
            await page.read_until(1)
            assert page.numbers == [1]

    play(scene)


def test_what_a_page_sends_is_ignored(run: Run, tenant: Tenant) -> None:
    cookie = cookie_of(tenant.site_manager)

    async def scene() -> None:
        async with Page(run, cookie) as page:
            for text in ("garbage", "{}", '{"type": "run.changed"}', "[" * 10_000):
                await page.send(text=text)
            await page.send(bytes=b"\xff\x00")
            await aside(lambda: append(run, 1))
            await page.read_until(2)
            assert page.numbers == [1, 2]

    play(scene)
