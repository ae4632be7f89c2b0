"""The service on each host: a small application server with Tomcat's manners.

Started by `bin/startup.sh` as `python -S -E was.py APP_HOME ADDRESS PORT LOCK`, standard library only, few imports:
two hundred of them share one machine. `http.server` alone would cost 6 MB each, hence the few lines of HTTP here.

It listens, writes its PID file, deploys `webapps/app.war` and answers `/health` (200 when the deployment succeeded,
503 otherwise) and `/`. SIGTERM ends it gracefully. LOCK is held by the fleet's runner; whoever gets it knows that
the runner is gone, even by SIGKILL, so the service ends itself and no orphan stays.
"""

import fcntl
import json
import os
import signal
import socket
import socketserver
import sys
import threading
import time
import traceback
import zipfile
from pathlib import Path
from xml.parsers import expat  # nothing hostile: expat limits entity expansion, and the archive is our own

MAX_REQUEST = 8192  # bytes of a request's head
REQUEST_SECONDS = 10
MAX_DESCRIPTOR = 1 << 20  # bytes of an archive's entry we are ready to read


class DeploymentError(Exception):
    """The archive can't be deployed."""


def log(level: str, source: str, message: str) -> None:
    """One line in the format of Tomcat's OneLineFormatter; standard output is catalina.out."""
    now = time.time()
    stamp = time.strftime("%d-%b-%Y %H:%M:%S", time.localtime(now))
    sys.stdout.write(f"{stamp}.{int(now * 1000) % 1000:03d} {level} [main] {source} {message}\n")
    sys.stdout.flush()


def read_version(war: Path) -> str:
    """The version inside the archive at `war`; raises DeploymentError naming what is wrong with it."""
    try:
        with zipfile.ZipFile(war) as archive:
            for name in ("WEB-INF/web.xml", "WEB-INF/version.txt"):
                if archive.getinfo(name).file_size > MAX_DESCRIPTOR:
                    raise DeploymentError(f"{name} is too large")
            expat.ParserCreate().Parse(archive.read("WEB-INF/web.xml"), True)
            return archive.read("WEB-INF/version.txt").decode("utf-8").strip()[:64]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, expat.ExpatError) as error:
        raise DeploymentError(f"{type(error).__name__}: {error}") from error


def java_trace(error: Exception) -> str:
    """The traceback of `error` in the shape people grep a Java log for."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"\tat org.guardia.demo.{frame.name}({Path(frame.filename).name}:{frame.lineno})" for frame in frames]
    return "\n".join([f"org.guardia.demo.LifecycleException: {error}", *lines])


class Handler(socketserver.BaseRequestHandler):
    """One GET per connection."""

    server: "Server"

    def handle(self) -> None:
        self.request.settimeout(REQUEST_SECONDS)
        try:
            head = self.read_head()
            status, kind, body = self.server.answer(head.split(b" ")[1:2])
            content = body.encode("utf-8")
            self.request.sendall(
                f"HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {len(content)}\r\n"
                f"Connection: close\r\n\r\n".encode()
                + content
            )
        except OSError:
            return  # the client went away or was too slow; there is nobody to tell

    def read_head(self) -> bytes:
        head = b""
        while b"\r\n\r\n" not in head and len(head) < MAX_REQUEST:
            chunk = self.request.recv(MAX_REQUEST)
            if not chunk:
                break
            head += chunk
        return head


class Server(socketserver.ThreadingTCPServer):
    """The listening service and the state of its one application."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, home: Path, address: tuple[str, int]) -> None:
        self.home = home
        self.version: str | None = None
        self.reason = "starting"
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)

    def deploy(self) -> None:
        """Deploy app.war; on a bad one say so in the log and stay up, as Tomcat does."""
        war = self.home / "webapps" / "app.war"
        log("INFO", "org.guardia.demo.HostConfig.deployWAR", f"Deploying web application archive [{war}]")
        try:
            self.version = read_version(war)
        except DeploymentError as error:
            self.reason = "deployment failed"
            log("SEVERE", "org.guardia.demo.HostConfig.deployWAR", "SEVERE: deployment of [app.war] failed")
            sys.stdout.write(java_trace(error) + "\n")
            sys.stdout.flush()
            return
        log("INFO", "org.guardia.demo.HostConfig.deployWAR", f"Deployment of [app.war] {self.version} has finished")

    def answer(self, target: list[bytes]) -> tuple[str, str, str]:
        """(status line, content type, body) for the request's target."""
        path = target[0].split(b"?")[0] if target else b""
        if path not in (b"/", b"/health"):
            return "404 Not Found", "text/plain", "not found\n"
        if self.version is None:
            state: dict[str, object] = {"status": "DOWN", "reason": self.reason, "pid": os.getpid()}
            return "503 Service Unavailable", "application/json", json.dumps(state)
        if path == b"/health":
            state = {"status": "UP", "version": self.version, "pid": os.getpid()}
            return "200 OK", "application/json", json.dumps(state)
        return "200 OK", "text/html", f"<!doctype html><title>demo</title><h1>Version {self.version}</h1>\n"

    def handle_error(self, request: object, client_address: object) -> None:
        log("SEVERE", "org.guardia.demo.Http11Processor.service", traceback.format_exc())


def end_with(lock: str) -> None:
    """Wait until the fleet's runner lets go of `lock`, then end this process."""
    with Path(lock).open() as handle:
        fcntl.flock(handle, fcntl.LOCK_SH)
    os.kill(os.getpid(), signal.SIGTERM)


def main(home: str, address: str, port: str, lock: str) -> None:
    """Serve until SIGTERM."""
    began = time.monotonic()
    if os.getpid() != os.getsid(0):
        os.setsid()
    server = Server(Path(home), (address, int(port)))  # a taken port ends us here, before the PID file is touched
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    threading.Thread(target=end_with, args=(lock,), daemon=True).start()
    (server.home / "run" / "app.pid").write_text(f"{os.getpid()}\n")
    log("INFO", "org.guardia.demo.AbstractProtocol.start", f'Starting ProtocolHandler ["http-nio-{address}-{port}"]')
    server.deploy()
    milliseconds = int((time.monotonic() - began) * 1000)
    log("INFO", "org.guardia.demo.Catalina.start", f"Server startup in [{milliseconds}] milliseconds")
    server.serve_forever(poll_interval=0.2)
    server.server_close()
    log("INFO", "org.guardia.demo.Catalina.stop", "Server stopped gracefully")


if __name__ == "__main__":
    main(*sys.argv[1:])
