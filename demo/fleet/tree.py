"""A host's directory tree: what is where, and how it comes to be."""

import secrets
import shlex
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demo.artefacts import build_artefact
from demo.fleet.hosts import HostSpec
from demo.fleet.processes import MARKER

_SOURCES = Path(__file__).parent
_FOLDERS = (
    "app/bin",
    "app/lib",
    "app/conf",
    "app/webapps",
    "app/logs",
    "app/run",
    "app/backup",
    "incoming",
    "ssh",
    "bin",
    "www",
)


def lock_file(home: Path) -> Path:
    """The runner of `home` holds this file's lock while it lives."""
    return home / "fleet.lock"


@dataclass(frozen=True)
class HostTree:
    """The files of one host of the fleet at `home` (absolute)."""

    home: Path
    spec: HostSpec

    @cached_property
    def root(self) -> Path:
        return self.home / "hosts" / self.spec.hostname

    @property
    def app(self) -> Path:
        return self.root / "app"

    @property
    def startup(self) -> Path:
        return self.app / "bin" / "startup.sh"

    @property
    def shutdown(self) -> Path:
        return self.app / "bin" / "shutdown.sh"

    @property
    def artefact(self) -> Path:
        return self.app / "webapps" / "app.war"

    @property
    def log(self) -> Path:
        return self.app / "logs" / "catalina.out"

    @property
    def actions(self) -> Path:
        return self.app / "logs" / "actions.log"

    @property
    def pid_file(self) -> Path:
        return self.app / "run" / "app.pid"

    @property
    def programs(self) -> Path:
        """What a real host has and a loopback one must not share: its own crontab, firewall, reboot."""
        return self.root / "bin"

    @property
    def path(self) -> str:
        return f"{self.programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    @property
    def ssh(self) -> Path:
        return self.root / "ssh"

    @property
    def account(self) -> str:
        """The host's own account, for servers that aren't bound to the accounts of this machine."""
        return "ops_" + self.spec.hostname.replace("-", "_")

    def prepare(self, version: str) -> None:
        """Create what is missing and refresh scripts and configuration; keys, artefact and logs stay as they are."""
        for folder in _FOLDERS:
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        self.ssh.chmod(0o700)
        for script in (self.startup, self.shutdown):
            shutil.copy(_SOURCES / "scripts" / script.name, script)
            script.chmod(0o755)
        for program in (_SOURCES / "scripts" / "bin").iterdir():
            shutil.copy(program, self.programs / program.name)
            (self.programs / program.name).chmod(0o755)
        shutil.copy(_SOURCES / "was.py", self.app / "lib" / "was.py")
        (self.app / "conf" / "server.env").write_text(self._settings(), encoding="utf-8")
        self._prepare_keys()
        if not self.artefact.exists():
            build_artefact(self.artefact, version)

    def _settings(self) -> str:
        values = {
            "PYTHON": shutil.which("python3", path="/usr/bin:/bin:/usr/local/bin") or shutil.which("python3") or "",
            "ADDRESS": self.spec.address,
            "HTTP_PORT": str(self.spec.http_port),
            "FLEET_LOCK": str(lock_file(self.home)),
            MARKER: str(self.home),
        }
        lines = [f"{name}={shlex.quote(value)}" for name, value in values.items()]
        return "\n".join([*lines, f"export {MARKER}", ""])

    def _prepare_keys(self) -> None:
        for name in ("host_key", "account_key"):
            private = self.ssh / name
            if not private.exists():
                _write_key(private)
        shutil.copy(self.ssh / "account_key.pub", self.ssh / "authorized_keys")
        password = self.ssh / "password"
        if not password.exists():
            _write_secret(password, secrets.token_urlsafe(18).encode())


def _write_key(private: Path) -> None:
    """An Ed25519 key pair in OpenSSH's formats at `private` and `private`.pub."""
    key = Ed25519PrivateKey.generate()
    formats = (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    private.with_suffix(".pub").write_bytes(public + b"\n")
    _write_secret(private, key.private_bytes(*formats))


def _write_secret(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
