"""A core and its gateway as real processes, in two networks of this machine: the core can't reach the gateway's hosts,
the gateway reaches the core by one address and one port, and the link between them can be cut."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

from demo.artefacts import build_artefact
from demo.fleet import Fleet, HostSpec
from tests.execution.worker import database_url, until


class Network:
    """A network namespace with loopback of its own, and one link to ours."""

    def __init__(self, number: int) -> None:
        self.name = f"gw{os.getpid() % 10_000}x{number}"
        self.link, self.core_address = f"{self.name}a", f"10.199.{number}.1"
        self._far = f"{self.name}b"
        for command in (
            f"ip netns add {self.name}",
            f"ip link add {self.link} type veth peer name {self._far}",
            f"ip link set {self._far} netns {self.name}",
            f"ip addr add {self.core_address}/30 dev {self.link}",
            f"ip link set {self.link} up",
            f"ip -n {self.name} addr add 10.199.{number}.2/30 dev {self._far}",
            f"ip -n {self.name} link set {self._far} up",
            f"ip -n {self.name} link set lo up",
        ):
            _sh(command)

    def inside(self, command: list[str]) -> list[str]:
        return ["ip", "netns", "exec", self.name, *command]

    def reach_all(self) -> None:
        """Every address of this machine, through the link."""
        _sh(f"ip -n {self.name} route add default via {self.core_address}")

    def cut(self) -> None:
        _sh(f"ip link set {self.link} down")

    def mend(self) -> None:
        _sh(f"ip link set {self.link} up")

    def remove(self) -> None:
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", self.link], capture_output=True, check=False)


def why_no_networks() -> str:
    """Why namespaces can't be made here; empty where they can."""
    if os.getuid() != 0:
        return "network namespaces need root"
    try:
        network = Network(250)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"network namespaces can't be made here: {error}"
    network.remove()
    return ""


class FarFleet(Fleet):
    """A fleet whose hosts stand in another network: their loopback addresses lead nowhere from here."""

    network: Network | None = None

    def _command(self, hosts_file: Path) -> list[str]:
        command = super()._command(hosts_file)
        return self.network.inside(command) if self.network is not None else command


def far_fleet(home: Path, network: Network, count: int) -> FarFleet:
    base = 24000 + os.getpid() % 500
    specs = [HostSpec(f"far-was-{n:02}", f"127.6.0.{n}", base, base + 1000) for n in range(1, count + 1)]
    fleet = FarFleet(home, specs, backend="openssh")
    fleet.network = network
    return fleet


def set_up_anew(fleet: Fleet, network: Network | None = None) -> None:
    """Every host with the first version and a healthy service, whatever a test did to it; its logs begin anew."""
    inside = network.inside if network is not None else list
    for tree in (fleet.tree(spec) for spec in fleet.hosts):
        subprocess.run(inside([str(tree.shutdown)]), capture_output=True, timeout=60, check=False)
        for folder in (tree.app / "backup", tree.root / "incoming"):
            for leftover in folder.iterdir():
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        build_artefact(tree.artefact, "2.0.0")
        subprocess.run(inside([str(tree.startup)]), capture_output=True, timeout=60, check=True)
        tree.actions.write_text("")


_ASK = """
import json, sys, urllib.request
for url in sys.argv[1:]:
    try:
        print(json.load(urllib.request.urlopen(url, timeout=10)).get("version", ""))
    except OSError:
        print("down")
"""


def versions(fleet: Fleet, network: Network) -> list[str]:
    """What each host's service says it is, asked from within its network."""
    urls = [f"http://{host.address}:{host.http_port}{host.health_path}" for host in fleet.inventory()]
    command = network.inside([sys.executable, "-c", _ASK, *urls])
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout.split()


class Process:
    """A process in a session of its own, its words in a file."""

    def __init__(self, argv: list[str], log: Path, environment: dict[str, str], stdin: str = "") -> None:
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                argv,
                cwd=settings.BASE_DIR,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
            )
        if stdin and self.process.stdin:
            self.process.stdin.write(stdin)
            self.process.stdin.close()

    def kill(self) -> None:
        """SIGKILL for the whole session: nothing of it can say goodbye."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def said(self) -> str:
        return self.log.read_text(errors="replace")


class CoreWeb:
    """The core's web process, with TLS, on an address that the gateway can reach."""

    def __init__(self, folder: Path, address: str) -> None:
        self.address, self.port = address, _free_port(address)
        self.ca, key = certificate_for(folder, address)
        environment = {
            **os.environ,
            "GUARDIA_HOME": str(settings.GUARDIA_HOME),
            "GUARDIA_DATABASE_URL": database_url(),
            "GUARDIA_SECRET_KEY": settings.SECRET_KEY,
            "GUARDIA_ALLOWED_HOSTS": address,
        }
        tls = ["--ssl-certfile", str(self.ca), "--ssl-keyfile", str(key)]
        where = ["--host", address, "--port", str(self.port), "--lifespan", "off", "--log-level", "warning"]
        argv = [sys.executable, "-m", "uvicorn", "guardia.asgi:application", *where, *tls]
        self._begin = lambda: Process(argv, folder / "web.log", environment)
        self.start()

    def start(self) -> None:
        self.process = self._begin()
        until(lambda: _listens(self.address, self.port), 60, pause=0.1)

    @property
    def url(self) -> str:
        return f"https://{self.address}:{self.port}"


class GatewayHome:
    """A gateway's home, and the processes that run in it, in its network."""

    def __init__(self, folder: Path, network: Network, web: CoreWeb | None = None, name: str = "") -> None:
        self.folder, self.network, self.web, self.name = folder, network, web, name
        self.log = folder.with_suffix(".log")
        self.process: Process | None = None

    def start(self, code: str = "") -> None:
        """`code`: the first time, with the one-time code on standard input."""
        where = ["--core", self.web.url, "--ca", str(self.web.ca), "--name", self.name] if self.web and code else []
        argv = self.network.inside([sys.executable, "manage.py", "gateway", *where])
        self.process = Process(argv, self.log, self.environment(), f"{code}\n" if code else "")

    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("GUARDIA_")}
        return own | {
            "GUARDIA_HOME": str(self.folder),
            "GUARDIA_GATEWAY_PULL_SECONDS": "0.5",
            "GUARDIA_LEASE_SECONDS": "2",
            "GUARDIA_HOSTS_AT_ONCE": "8",
            "GUARDIA_CONNECT_SECONDS": "10",
            "GUARDIA_CHECKPOINT_APPEND_ONLY": "false",
            "GUARDIA_LOG_LEVEL": "INFO",
        }

    def fingerprint(self) -> str:
        until(lambda: "types this fingerprint" in self.said(), 180, pause=0.2)
        lines = self.said().split("types this fingerprint at the core:")[1].splitlines()
        return next(line.strip() for line in lines if line.strip())

    def manage(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        argv = self.network.inside([sys.executable, "manage.py", *arguments])
        return subprocess.run(
            argv, cwd=settings.BASE_DIR, env=self.environment(), capture_output=True, text=True, timeout=120, **options
        )

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def certificate_for(folder: Path, address: str) -> tuple[Path, Path]:
    """A certificate for an address, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "core")])
    begins = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=10))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    paths = folder / "core.crt", folder / "core.key"
    paths[0].write_bytes(certificate.public_bytes(pem))
    paths[1].write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    return paths


@contextmanager
def two_networks(number: int) -> Iterator[Network]:
    network = Network(number)
    try:
        yield network
    finally:
        network.remove()


def _sh(command: str) -> None:
    subprocess.run(command.split(), check=True, capture_output=True)


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def _listens(address: str, port: int) -> bool:
    """Asked of the kernel, not of the port: the tests themselves reach no other network than loopback."""
    wanted = f"{socket.inet_aton(address)[::-1].hex().upper()}:{port:04X}"
    return any(line.split()[1] == wanted for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
