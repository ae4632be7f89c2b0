"""A real nginx on this machine before small real HTTP servers, none of whose requests gets a second try."""

import http.client
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.execution.tomcats import free_port, get

PROGRAM = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or ""
_CONF = """\
daemon off;
{user}
worker_processes 2;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{}}
http {{
 access_log off;
 client_body_temp_path {home}/t1; proxy_temp_path {home}/t2; fastcgi_temp_path {home}/t3;
 uwsgi_temp_path {home}/t4; scgi_temp_path {home}/t5;
 proxy_next_upstream off;
 include {home}/upstreams/*;
 server {{ listen {address}:{port}; location / {{ proxy_pass http://was; }} }}
}}
"""


class Node:
    """A small HTTP server that counts what reaches it; `/slow` takes a second, word by word."""

    def __init__(self, address: str) -> None:
        self.address, self.port, self.asked = address, free_port(address), 0
        self.start()

    @property
    def peer(self) -> str:
        return f"{self.address}:{self.port}"

    def start(self) -> None:
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                node.asked += 1
                self.send_response(200)
                self.send_header("Content-Length", "8")
                self.end_headers()
                for _ in range(4):
                    self.wfile.write(b"ok")
                    time.sleep(0.25 if self.path == "/slow" else 0)

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer((self.address, self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Nginx:
    """`file` is what its profile names; `program` is called nginx and knows its own configuration."""

    def __init__(self, home: Path, address: str, upstream: str) -> None:
        self.home, self.address, self.port = home, address, free_port(address)
        self.file = home / "upstreams" / "was"
        self.file.parent.mkdir(parents=True)
        self.file.write_text(upstream)
        self.conf = home / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        self.conf.write_text(_CONF.format(home=home, address=address, port=self.port, user=user))
        self.program = home / "nginx"
        self.program.write_text(
            f"#!/bin/sh\nexec {PROGRAM} -p '{home}' -c '{self.conf}' -e '{home}/error.log' \"$@\"\n"
        )
        self.program.chmod(0o755)

    def problem(self) -> str:
        """What `nginx -t` has against the configuration; empty: it agrees."""
        done = subprocess.run([self.program, "-t"], check=False, capture_output=True, text=True, timeout=20)
        return done.stderr if done.returncode else ""

    @contextmanager
    def running(self) -> Iterator[None]:
        process = subprocess.Popen([self.program], stderr=subprocess.DEVNULL)
        try:
            until(self._answers)
            yield
        finally:
            process.terminate()
            process.wait(20)

    def _answers(self) -> bool:
        with suppress(OSError, AssertionError, http.client.HTTPException):
            return bool(get(self.address, self.port, "/"))
        return False


class Requests:
    """Requests through nginx until the block ends, short ones and some that are under way at any moment."""

    def __init__(self, nginx: Nginx, paths: str) -> None:
        self.done, self.failed = 0, list[str]()
        self._nginx, self._ends = nginx, threading.Event()
        self._threads = [threading.Thread(target=self._go, args=(path,), daemon=True) for path in paths.split()]

    def __enter__(self) -> "Requests":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join(30)

    def _go(self, path: str) -> None:
        while not self._ends.wait(0.02):
            try:
                get(self._nginx.address, self._nginx.port, path)
                self.done += 1
            except (OSError, http.client.HTTPException, AssertionError) as error:
                self.failed.append(f"{path}: {error!r}")


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.05)
