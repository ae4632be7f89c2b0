"""The stores outside the database, each with a real server on loopback; and what happens when one hangs or is gone."""

import http.server
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from accounts.choices import Role
from audit.models import Checkpoint, Entry, Witness
from audit.services import deliver
from audit.services.deliver import deliver_checkpoints
from audit.services.make_checkpoint import make_checkpoint
from audit.stores.directory import DirectoryStore
from audit.stores.s3 import S3Store, authorized
from audit.stores.witnesses import MailStore, SyslogStore, words_for
from notifications.models import Notification
from tests.audit.forgery import make_chain
from tests.factories import make_user

LINE_DB = pytest.mark.django_db


@pytest.fixture
def line(db: None) -> str:
    make_chain(3)
    return make_checkpoint(reason="asked").line


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]  # type: ignore[index]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def test_syslog_over_udp_and_tcp_carries_the_words_for(line: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.bind(("127.0.0.1", 0))
        collector.settimeout(5)
        port = collector.getsockname()[1]
        SyslogStore(urlsplit(f"syslog+udp://127.0.0.1:{port}"), 2).put(1, line)
        message = collector.recv(65536).decode()
    assert message.startswith("<109>1 ") and message.endswith(words_for(line)) and "number=1 digest=" in message
    with socket.create_server(("127.0.0.1", 0)) as collector:
        collector.settimeout(5)
        SyslogStore(urlsplit(f"syslog+tcp://127.0.0.1:{collector.getsockname()[1]}"), 2).put(1, line)
        peer, _address = collector.accept()
        with peer:
            peer.settimeout(5)
            octets, _space, said = peer.makefile("rb").read().partition(b" ")
    assert int(octets) == len(said) and said.decode().endswith(words_for(line))


class _Smtp(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        while command := self.rfile.readline():
            verb = command[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = list(iter(self.rfile.readline, b".\r\n"))
                self.server.mails.append(b"".join(lines))  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
            if verb == b"QUIT":
                return


def test_a_mail_carries_the_words_and_the_document(line: str) -> None:
    server = socketserver.TCPServer(("127.0.0.1", 0), _Smtp)
    server.mails = []  # type: ignore[attr-defined]
    with serving(server) as port:
        store = MailStore(urlsplit(f"smtp://127.0.0.1:{port}/?to=witness@example.go.kr&from=guardia@example.go.kr"), 5)
        store.put(1, line)
    (mail,) = server.mails  # type: ignore[attr-defined]
    assert b"To: witness@example.go.kr" in mail and b"000000000001.json" in mail and b"number=1" in mail


class _Bucket(http.server.BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.puts.append((self.path, dict(self.headers), body))  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def test_a_bucket_gets_the_file_with_a_lock_and_a_signature(line: str) -> None:
    server = http.server.HTTPServer(("127.0.0.1", 0), _Bucket)
    server.puts, server.status = [], 200  # type: ignore[attr-defined]
    with serving(server) as port:
        store = S3Store(urlsplit(f"s3+http://KEY:SE%2FCRET@127.0.0.1:{port}/bucket/seals?region=kr&days=30"), 5)
        store.put(7, line)
        server.status = 403  # type: ignore[attr-defined]
        with pytest.raises(OSError, match="403"):
            store.put(8, line)
    path, headers, body = server.puts[0]  # type: ignore[attr-defined]
    assert path == "/bucket/seals/000000000007.json" and body == line.encode() + b"\n"
    assert headers["x-amz-object-lock-mode"] == "COMPLIANCE"
    until = datetime.strptime(headers["x-amz-object-lock-retain-until-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert abs(until - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)
    assert "SE" not in store.name and "CRET" not in headers["authorization"]


def test_the_signature_is_that_of_the_published_example() -> None:
    """Amazon S3 API reference, “Signature calculations … example: PUT object”."""
    headers = {
        "date": "Fri, 24 May 2013 00:00:00 GMT",
        "host": "examplebucket.s3.amazonaws.com",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
    }
    key, secret = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    moment = datetime(2013, 5, 24, tzinfo=UTC)
    signed = authorized("/test%24file.text", headers, b"Welcome to Amazon S3.", moment, "us-east-1", key, secret)
    assert signed["authorization"].endswith("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")


def test_the_directory_keeps_the_first_and_completes_a_torn_file(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "seals", append_only=False)
    store.put(1, "a checkpoint")
    store.put(1, "a checkpoint")
    with pytest.raises(FileExistsError):
        store.put(1, "another one")
    (tmp_path / "seals" / "000000000002.json").write_text("the sec")
    store.put(2, "the second")
    assert store.lines() == ["a checkpoint", "the second"]


def test_the_directory_is_append_only_where_the_system_allows_it(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "seals", append_only=True)
    store.put(1, "one")
    try:
        if store.state() == "append-only":
            with pytest.raises(PermissionError):
                (tmp_path / "seals" / "000000000001.json").unlink()
        else:
            assert store.state() == "ordinary directory"
        store.put(2, "two")
        assert store.lines() == ["one", "two"]
    finally:
        if store.state() == "append-only":
            subprocess.run(["chattr", "-a", tmp_path / "seals"], check=True)


@LINE_DB
def test_a_store_that_is_gone_costs_nothing_and_gets_everything_later(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings.GUARDIA_CHECKPOINT_WITNESSES = [f"syslog+tcp://127.0.0.1:{port}"]
    settings.GUARDIA_WITNESS_SECONDS = 2
    make_chain(2)
    for _ in range(3):
        make_checkpoint(reason="asked")
        deliver_checkpoints()
    directory, syslog = Witness.objects.order_by("name")
    assert (directory.delivered, directory.failing_since) == (3, None)
    assert syslog.delivered == 0 and syslog.failing_since is not None and "refused" in syslog.error.lower()
    assert Entry.objects.filter(action="checkpoint_store.failed").count() == 1
    received: list[str] = []
    with socket.create_server(("127.0.0.1", port)) as collector:
        collector.settimeout(5)

        def collect() -> None:
            for _ in range(3):
                with collector.accept()[0] as peer:
                    received.append(peer.makefile("rb").read().decode())

        thread = threading.Thread(target=collect)
        thread.start()
        deliver_checkpoints()
        thread.join(5)
    assert [f"number={number} " in text for number, text in enumerate(received, start=1)] == [True] * 3
    syslog.refresh_from_db()
    assert (syslog.delivered, syslog.failing_since) == (3, None)
    assert Entry.objects.filter(action="checkpoint_store.recovered").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_store_that_hangs_is_left_behind_and_becomes_an_alarm(settings: Any) -> None:
    officer = make_user(Role.SECURITY_OFFICER)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.GUARDIA_CHECKPOINT_WITNESSES = [f"smtp://127.0.0.1:{silent.getsockname()[1]}/?to=a@b"]
        settings.GUARDIA_WITNESS_SECONDS = 30.0
        make_chain(2)
        make_checkpoint(reason="asked")
        settings.GUARDIA_WITNESS_SECONDS = 0.2  # what we wait; the store itself was made with more patience below
        store = MailStore(urlsplit(settings.GUARDIA_CHECKPOINT_WITNESSES[0]), 30)
        waiting = list(Checkpoint.objects.values_list("number", "line"))
        started = time.monotonic()
        Witness.objects.create(name=store.name)
        deliver._note(store, *deliver._hand_over(store, waiting))
        deliver._note(store, *deliver._hand_over(store, waiting))
        assert time.monotonic() - started < 20
        witness = Witness.objects.get(name=store.name)
        assert witness.error == "still hanging" and witness.delivered == 0
        assert not Notification.objects.filter(recipient=officer).exists()
        Witness.objects.update(failing_since=witness.failing_since - deliver.ALARM_AFTER)  # type: ignore[operator]
        deliver._note(store, *deliver._hand_over(store, waiting))
        deliver._note(store, *deliver._hand_over(store, waiting))
        assert Notification.objects.filter(recipient=officer, kind="witness_failing").count() == 1
    deliver._hanging[store.name].join(10)
