"""A live page over a real socket: it ends with the session it came by, whoever ends that and however."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from django.db import connections
from django.db.models import Q
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from accounts.choices import Role, SessionEnd
from accounts.models import User, UserSession
from accounts.services.sessions import end_sessions
from execution.live.doorkeeper import SESSION_ENDED
from execution.models import Run
from execution.rollout.start_run import start_run
from governance.services.accounts import disable_account
from tests.doors import browser
from tests.factories import Tenant, make_user

pytestmark = pytest.mark.django_db(transaction=True)
WITHIN = 5.0


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[str]:
    """The portal's own ASGI application on a free port of loopback."""
    from guardia.asgi import application

    # The server's threads keep no connection that would hold the test database open.
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        running = uvicorn.Server(uvicorn.Config(application, lifespan="off", log_level="error"))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        deadline = time.monotonic() + 20
        while not running.started and time.monotonic() < deadline:
            time.sleep(0.02)
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        running.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive()


def run_of(tenant: Tenant) -> Run:
    task, _plan = tenant.approved()
    run = start_run(task.pk)
    assert run is not None
    return run


def open_page(server: str, run: Run, user: User) -> ClientConnection:
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in browser(user).cookies.items())
    return connect(
        f"ws://{server}/ws/runs/{run.pk}/",
        additional_headers={"Cookie": cookies},
        origin=Origin(f"http://{server}"),
        open_timeout=20,
    )


def closed_with(page: ClientConnection) -> int:
    """The code the server closes with; fails when the page is still open after the time allowed."""
    started = time.monotonic()
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            page.recv(timeout=WITHIN - (time.monotonic() - started))
    assert closed.value.rcvd is not None
    return int(closed.value.rcvd.code)


ENDS: dict[str, Callable[[User], object]] = {
    "an administrator disables the account": lambda user: disable_account(
        actor=make_user(Role.ADMINISTRATOR), user=user, reason="퇴직"
    ),
    "the user ends it elsewhere": lambda user: end_sessions(Q(user=user), SessionEnd.BY_USER),
    "a row is changed past every service": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    "its row is gone": lambda user: UserSession.objects.filter(user=user).delete(),
}


@pytest.mark.parametrize("name", ENDS)
def test_an_open_page_ends_within_five_seconds_of_its_session(server: str, name: str) -> None:
    tenant = Tenant(servers=1)
    run = run_of(tenant)
    with open_page(server, run, tenant.owner) as page, open_page(server, run, tenant.pm) as other:
        page.recv(timeout=20)
        other.recv(timeout=20)
        ENDS[name](tenant.owner)
        assert closed_with(page) == SESSION_ENDED
        with pytest.raises(TimeoutError):
            other.recv(timeout=0.5)  # the others stay
