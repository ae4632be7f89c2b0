"""Two real Tomcats behind a real HAProxy, each on a host of a loopback fleet, and a steady load through the proxy."""

import http.client
import io
import os
import shutil
import socket
import subprocess
import threading
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

from demo.fleet import Fleet
from demo.fleet.tree import HostTree

CATALINA_HOME = Path("/usr/share/tomcat10")
_WEB_XML = Path("/etc/tomcat10/web.xml")
MISSING = [
    name
    for name, is_there in (
        ("tomcat10", (CATALINA_HOME / "bin/catalina.sh").exists() and _WEB_XML.exists()),
        ("a Java runtime", bool(shutil.which("java"))),
        ("haproxy", bool(shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin"))),
        ("socat or nc", bool(shutil.which("socat") or shutil.which("nc"))),
    )
    if not is_there
]
LARGE = 3_000_000
_SERVER_XML = """\
<Server port="{stop_port}" address="{address}" shutdown="SHUTDOWN">
  <Service name="Catalina">
    <Connector address="{address}" port="{port}" protocol="HTTP/1.1"
               keepAliveTimeout="120000" maxKeepAliveRequests="-1"/>
    <Engine name="Catalina" defaultHost="localhost">
      <Host name="localhost" appBase="webapps" unpackWARs="false" autoDeploy="false"/>
    </Engine>
  </Service>
</Server>
"""
_LOGGING = """\
handlers = java.util.logging.ConsoleHandler
.level = INFO
java.util.logging.ConsoleHandler.formatter = org.apache.juli.OneLineFormatter
"""
_SCRIPT = """\
#!/bin/sh
export CATALINA_HOME={home} CATALINA_BASE={base} CATALINA_PID={base}/run/tomcat.pid
export JAVA_OPTS='-Xmx96m -XX:TieredStopAtLevel=1'
cd {base} && exec {home}/bin/catalina.sh {action}
"""
# No second try: what the proxy can't hand to a node at once is a failed request.
_HAPROXY = """\
global
 stats socket {socket} mode 600 level admin
 stats socket ipv4@{address}:{admin_port} level admin
defaults
 mode http
 timeout connect 2s
 timeout client 30s
 timeout server 30s
 retries 0
 option httpchk GET /health
frontend front
 bind {address}:{port}
 default_backend was
backend was
 balance roundrobin
 cookie NODE insert indirect nocache
{servers}
"""


def war(version: str, *, is_healthy: bool = True) -> bytes:
    """A web application that says its version; a broken one starts as well, but has nothing at its health check."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.html", version)
        archive.writestr("large.bin", b"x" * LARGE)
        archive.writestr("WEB-INF/web.xml", '<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="5.0"/>')
        if is_healthy:
            archive.writestr("health", "UP")
    return buffer.getvalue()


class Tomcat:
    """One instance below the home of a host of the fleet."""

    def __init__(self, tree: HostTree) -> None:
        self.tree, self.address = tree, tree.spec.address
        self.port, stop_port = free_port(self.address), free_port(self.address)
        self.base = tree.root / "tomcat"
        for folder in ("bin", "conf", "logs", "run", "temp", "webapps", "work", "backup"):
            (self.base / folder).mkdir(parents=True)
        conf = self.base / "conf"
        (conf / "server.xml").write_text(_SERVER_XML.format(address=self.address, port=self.port, stop_port=stop_port))
        (conf / "logging.properties").write_text(_LOGGING)
        shutil.copy(_WEB_XML, conf / "web.xml")
        for name, action in (("startup", "start"), ("shutdown", "stop 10 -force")):
            script = self.base / "bin" / f"{name}.sh"
            script.write_text(_SCRIPT.format(home=CATALINA_HOME, base=self.base, action=action))
            script.chmod(0o755)
        (self.base / "webapps/ROOT.war").write_bytes(war("1.0.0"))

    def run(self, name: str) -> None:
        subprocess.run([self.base / "bin" / name], check=False, capture_output=True, timeout=60)

    def version(self) -> str:
        return get(self.address, self.port, "/")


class Site:
    """Two Tomcats on the first two hosts, HAProxy on the third."""

    def __init__(self, fleet: Fleet) -> None:
        trees = [fleet.tree(spec) for spec in fleet.hosts[:3]]
        self.nodes = [Tomcat(tree) for tree in trees[:2]]
        self.balancer = trees[2]
        self.address, self.port = self.balancer.spec.address, free_port(self.balancer.spec.address)
        self.socket, self.admin_port = self.balancer.root / "haproxy.sock", free_port(self.address)
        servers = "\n".join(
            f" server {node.tree.spec.hostname} {node.address}:{node.port} check inter 300 cookie {number}"
            for number, node in enumerate(self.nodes)
        )
        config = self.balancer.root / "haproxy.cfg"
        config.write_text(
            _HAPROXY.format(
                socket=self.socket, address=self.address, port=self.port, admin_port=self.admin_port, servers=servers
            )
        )
        for node in self.nodes:
            node.run("startup.sh")
        path = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "haproxy"
        self.proxy = subprocess.Popen([path, "-db", "-f", config], stderr=subprocess.DEVNULL)
        ends = time.monotonic() + 60
        while {self.state(node) for node in self.nodes} != {"UP"} or any(
            node.version() != "1.0.0" for node in self.nodes
        ):
            assert time.monotonic() < ends, {node.tree.spec.hostname: self.state(node) for node in self.nodes}
            time.sleep(0.2)

    def close(self) -> None:
        self.proxy.terminate()
        self.proxy.wait(10)
        for node in self.nodes:
            node.run("shutdown.sh")

    def said(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(5)
            peer.connect(str(self.socket))
            peer.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: peer.recv(65536), b"")).decode()

    def state(self, node: Tomcat) -> str:
        """UP, DRAIN, MAINT, DOWN, as HAProxy says."""
        try:
            rows = [line.split(",") for line in self.said("show stat").splitlines()]
        except OSError:
            return ""
        return next((row[17] for row in rows if row[:2] == ["was", node.tree.spec.hostname]), "")


class Load:
    """Requests through the proxy until the block ends: short ones, on connections kept and new, with and without the
    cookie that ties a visitor to a node; and long ones, read slowly, of which some are under way at any moment."""

    def __init__(self, site: Site) -> None:
        self.site, self.done, self.failed = site, Counter[str](), list[str]()
        self._stop = threading.Event()
        kinds = [self._visitor, self._visitor, self._stranger, self._stranger, self._slow, self._slow]
        self._threads = [threading.Thread(target=self._go, args=(kind,), daemon=True) for kind in kinds]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _go(self, kind: Any) -> None:
        session: dict[str, Any] = {}
        while not self._stop.is_set():
            try:
                self.done[kind(session)] += 1
            except (OSError, http.client.HTTPException, AssertionError) as error:
                self.failed.append(f"{time.strftime('%H:%M:%S')} {kind.__name__}: {error!r}")
                session.clear()
            self._stop.wait(0.02)

    def _visitor(self, session: dict[str, Any]) -> str:
        """One connection, and a cookie that sticks to a node."""
        line = session.setdefault("line", http.client.HTTPConnection(self.site.address, self.site.port, timeout=20))
        line.request("GET", "/", headers={"Cookie": session["cookie"]} if "cookie" in session else {})
        answer = line.getresponse()
        body = answer.read().decode()
        assert answer.status == 200, answer.status
        if cookie := answer.getheader("Set-Cookie"):
            session["cookie"] = cookie.split(";")[0]
        return body

    def _stranger(self, session: dict[str, Any]) -> str:
        return get(self.site.address, self.site.port, "/")

    def _slow(self, session: dict[str, Any]) -> str:
        line = http.client.HTTPConnection(self.site.address, self.site.port, timeout=20)
        line.request("GET", "/large.bin")
        answer, size = line.getresponse(), 0
        assert answer.status == 200, answer.status
        while chunk := answer.read(150_000):
            size += len(chunk)
            time.sleep(0.05)
        line.close()
        assert size == LARGE, f"{size} of {LARGE} bytes"
        return "large"


def get(address: str, port: int, path: str) -> str:
    line = http.client.HTTPConnection(address, port, timeout=20)
    try:
        line.request("GET", path)
        answer = line.getresponse()
        body = answer.read().decode()
        assert answer.status == 200, answer.status
        return body
    finally:
        line.close()


def free_port(address: str) -> int:
    with socket.create_server((address, 0)) as free:
        return int(free.getsockname()[1])
