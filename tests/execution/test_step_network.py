"""Firewalls and load balancers: the real programs where they are here, in a network of their own."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.execution.local_host import LocalHost


def has_network_of_its_own(program: str) -> bool:
    """Whether this machine lets us have a network namespace in which the program works."""
    try:
        command = (
            ["unshare", "-n", program, "-L"] if program == "iptables" else ["unshare", "-n", program, "list", "ruleset"]
        )
        return subprocess.run(command, capture_output=True, timeout=20).returncode == 0
    except OSError:
        return False


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    return LocalHost("dash", tmp_path / "host 'x'")


def in_own_network(host: LocalHost) -> Iterator[LocalHost]:
    """All commands of the host run in one network namespace, held by a sleeping process."""
    with subprocess.Popen(["unshare", "-n", "sleep", "120"]) as holder:
        try:
            time.sleep(0.2)
            host.before = ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]
            yield host
        finally:
            holder.kill()


@pytest.fixture
def firewalled(host: LocalHost) -> Iterator[LocalHost]:
    yield from in_own_network(host)


def shown(host: LocalHost, *command: str) -> str:
    return subprocess.run([*host.before, *command], capture_output=True, text=True, timeout=20).stdout


@pytest.mark.skipif(not has_network_of_its_own("iptables"), reason="no iptables in a network namespace")
def test_a_port_in_iptables_is_opened_closed_and_comes_back(firewalled: LocalHost) -> None:
    host, rules = firewalled, firewalled.home / "rules.v4"
    rules.write_text("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\nCOMMIT\n*nat\nCOMMIT\n")
    subprocess.run([*host.before, "iptables", "-A", "INPUT", "-j", "DROP"], check=True)
    at = {"port": 8443, "name": "OPS-1", "source": "10.1.2.3/24", "tool": "iptables", "rules": str(rules)}

    def look() -> tuple[str, str]:
        return shown(host, "iptables", "-S", "INPUT"), rules.read_text()

    host.step("port_open", **at).goes_round(look)
    assert host.step("port_open", **at).apply() == ""
    now, later = look()
    assert now.replace('"', "").splitlines()[1].endswith("--dport 8443 -m comment --comment guardia:OPS-1: -j ACCEPT")
    assert (
        later.splitlines()[2]
        == "-A INPUT -p tcp -s 10.1.2.0/24 --dport 8443 -m comment --comment guardia:OPS-1: -j ACCEPT"
    )
    again = host.step("port_open", **at)
    assert again.apply() == "" and again.undo() == "" and look() == (now, later)  # it was open before
    host.saved.clear()
    host.step("port_close", **at).goes_round(lambda: sorted(look()[0].splitlines()))


@pytest.mark.skipif(not has_network_of_its_own("nft"), reason="no nftables in a network namespace")
def test_a_port_in_nftables_is_opened_and_comes_back(firewalled: LocalHost) -> None:
    host, rules = firewalled, firewalled.home / "nftables.conf"
    rules.write_text(
        "flush ruleset\ntable inet filter {\n chain input { type filter hook input priority 0; policy drop; }\n}\n"
    )
    subprocess.run([*host.before, "nft", "-f", str(rules)], check=True)
    at = {"port": 161, "protocol": "udp", "name": "OPS-1", "tool": "nftables", "rules": str(rules)}

    def look() -> tuple[str, str]:
        return shown(host, "nft", "list", "ruleset"), rules.read_text()

    host.step("port_open", **at).goes_round(look)
    assert host.step("port_open", **at).apply() == ""
    now, _later = look()
    assert 'udp dport 161 accept comment "guardia:OPS-1:"' in now
    subprocess.run([*host.before, "nft", "-f", str(rules)], check=True)  # as after a reboot
    assert look()[0] == now


def test_a_port_in_firewalld_is_opened_and_comes_back(host: LocalHost) -> None:
    text = (Path(__file__).parents[2] / "demo/fleet/scripts/bin/firewall-cmd").read_text()
    host.program("firewall-cmd", text)
    (host.home / "ssh").mkdir()

    def look() -> list[str]:
        return [line for path in sorted((host.home / "ssh").iterdir()) for line in path.read_text().split("\n") if line]

    for source in ("", "10.0.0.0/8", "2001:db8::/32"):
        host.saved.clear()
        host.step("port_open", port=8443, name="OPS-1", source=source).goes_round(look)


class Served(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.server_port.to_bytes(2, "big"))  # type: ignore[attr-defined]

    def log_message(self, *args: object) -> None: ...


@pytest.mark.skipif(not shutil.which("haproxy"), reason="no HAProxy")
@pytest.mark.parametrize("way", ["socat", "nc", "perl", "python3"])
def test_a_node_is_drained_at_a_real_haproxy(host: LocalHost, way: str) -> None:
    nodes = [HTTPServer(("127.0.0.1", 0), Served) for _ in range(2)]
    for node in nodes:
        threading.Thread(target=node.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    stats = f"/tmp/guardia-{os.getpid()}-{way}.sock"  # a socket's path is short
    servers = "\n".join(f" server was-{n} 127.0.0.1:{node.server_port} check inter 200" for n, node in enumerate(nodes))
    config = host.home / "haproxy.cfg"
    config.write_text(
        f"global\n stats socket {stats} mode 600 level admin\ndefaults\n mode http\n timeout connect 2s\n"
        f" timeout client 5s\n timeout server 5s\nlisten was\n bind 127.0.0.1:{port}\n{servers}\n"
    )
    only(host, way)
    with subprocess.Popen(["haproxy", "-db", "-f", str(config)], stderr=subprocess.DEVNULL) as proxy:
        try:
            until_listening(port)
            at = {"socket": stats, "backend": "was", "server": "was-0", "seconds": 10}

            def state() -> str:
                host.step("drain_haproxy", **at).holds()
                return host.output.split()[0]

            host.step("drain_haproxy", **at).goes_round(state)
            assert host.step("drain_haproxy", **at).apply() == ""
            assert {asked(port) for _ in range(8)} == {nodes[1].server_port}
            assert host.step("undrain_haproxy", **at).apply() == ""
            assert {asked(port) for _ in range(8)} == {node.server_port for node in nodes}
            unknown = host.step("drain_haproxy", **{**at, "server": "none"})
            assert unknown.apply() != ""
        finally:
            proxy.kill()
            for node in nodes:
                node.shutdown()
            Path(stats).unlink(missing_ok=True)


def only(host: LocalHost, way: str) -> None:
    """A host that has just this one of the programs that can speak to a socket."""
    names = ("sh", "printf", "awk", "cut", "tr", "cat", "grep", "sleep", way)
    for name in names:
        if not (host.bin / name).exists():
            (host.bin / name).symlink_to(sys.executable if name == "python3" else shutil.which(name) or name)
    host.path = str(host.bin)


def until_listening(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("HAProxy doesn't listen")


def asked(port: int) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
        peer.sendall(b"GET / HTTP/1.0\r\n\r\n")
        data = b""
        while chunk := peer.recv(4096):
            data += chunk
    return int.from_bytes(data[-2:], "big")
