"""The gate connects to nothing but where servers may be, whatever the inventory or an approved plan says."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.choices import Role
from audit.models import Entry
from cmdb.models import Server
from execution.choices import RunStatus
from execution.gate.direct import look_at_hosts
from execution.gate.host_keys import answer_scan, ask_host_keys
from execution.gate.service_checks import http_answer
from execution.models import HostKeyScan, HostRun, Run
from execution.rollout.drive import drive_run
from execution.rollout.start_run import start_run
from execution.steps.arguments import BadArgument
from execution.steps.library import LIBRARY
from tests.factories import Tenant, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_english")]


@pytest.fixture
def listener() -> Iterator[tuple[int, list[Any]]]:
    """A port of this machine, and who has knocked at it."""
    knocks: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def take() -> None:
            while True:
                try:
                    line, peer = listening.accept()
                except OSError:
                    return
                knocks.append(peer)
                line.close()

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield listening.getsockname()[1], knocks
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=10)


def test_a_run_reaches_no_other_network(listener: tuple[int, list[Any]], settings: Any) -> None:
    port, knocks = listener
    tenant = Tenant(servers=1, ssh_port=port)
    task, _plan = tenant.approved()
    settings.GUARDIA_SERVER_NETWORKS = ["10.0.0.0/8"]
    run = start_run(task.pk)
    assert run is not None
    drive_run(run.pk)
    run = Run.objects.get(pk=run.pk)
    host_run = HostRun.objects.get(wave__run=run)
    assert run.status != RunStatus.SUCCEEDED and "GUARDIA_SERVER_NETWORKS" in host_run.error + run.reason
    assert knocks == [] and not Entry.objects.filter(action="credential.used").exists()


def test_neither_does_a_look_nor_a_scan(listener: tuple[int, list[Any]], settings: Any) -> None:
    port, knocks = listener
    server = Tenant(servers=1, ssh_port=port).servers[0]
    operator = make_user(Role.OPERATOR)
    settings.GUARDIA_SERVER_NETWORKS = ["10.0.0.0/8"]
    [said] = list(look_at_hosts(actor=operator, servers=[server], command="uptime"))
    assert said.code == "address_refused"
    [scan] = ask_host_keys(actor=operator, server_pks=[server.pk])
    answer_scan(scan.pk)
    assert "GUARDIA_SERVER_NETWORKS" in HostKeyScan.objects.get(pk=scan.pk).error
    assert knocks == []


def test_neither_by_a_jump_host_elsewhere(listener: tuple[int, list[Any]], settings: Any) -> None:
    port, knocks = listener
    tenant = Tenant(servers=2, ssh_port=port)
    jump, server = tenant.servers
    Server.objects.filter(pk=server.pk).update(address="10.0.0.9", jump=jump)
    settings.GUARDIA_SERVER_NETWORKS = ["10.0.0.0/8"]
    server = Server.objects.select_related("system__institution", "site", "jump").get(pk=server.pk)
    [said] = list(look_at_hosts(actor=make_user(Role.OPERATOR), servers=[server], command="uptime"))
    assert said.code == "address_refused" and knocks == []


@pytest.mark.parametrize("name", ["http_check", "health"])
@pytest.mark.parametrize(
    "path",
    [
        *("", "health", "//\r\nHost: other", "/ HTTP/1.1\r\n\r\nFLUSHALL\r\n", "/a b", "/\n", "/\x00", "/상태", "/\t"),
        *("http://169.254.169.254/", "/" + "a" * 3000),
    ],
)
def test_a_check_asks_one_thing_by_one_line(name: str, path: str) -> None:
    more = {"http_check": {}, "health": {"log_file": "/l", "log_ready": "a", "log_broken": "b", "seconds": 1}}[name]
    with pytest.raises(BadArgument):
        LIBRARY[name](port=8080, path=path, **more)
    LIBRARY[name](port=8080, path="/health?a=1&b=%EC%83%81", **more)


def test_a_check_follows_nobody_elsewhere(listener: tuple[int, list[Any]]) -> None:
    port, knocks = listener
    with socket.create_server(("127.0.0.1", 0)) as sending:

        def send_away() -> None:
            line, _peer = sending.accept()
            line.recv(1000)
            line.sendall(f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{port}/\r\n\r\n".encode())
            line.close()

        thread = threading.Thread(target=send_away)
        thread.start()
        own = sending.getsockname()[1]
        answer = http_answer("127.0.0.1", own, "/", seconds=5, whole=True, cancel=threading.Event())
        thread.join(timeout=10)
    assert answer.status == "302" and knocks == []
