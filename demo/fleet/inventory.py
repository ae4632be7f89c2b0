"""What an operator of the institution would hand over for each host, ready for a CMDB import."""

from dataclasses import dataclass, field
from typing import Literal

from demo.fleet.backends import BackendName, login_account
from demo.fleet.tree import HostTree

HEALTH_PATH = "/health"


@dataclass(frozen=True, slots=True)
class HostAccess:
    """How to reach one host and where its things are; paths are absolute, on the host."""

    hostname: str
    address: str
    port: int
    username: str
    credential_kind: Literal["password", "private_key"]
    credential_secret: str = field(repr=False)
    host_key: str  # "ssh-ed25519 AAAA..."
    app_home: str
    startup: str
    shutdown: str
    pid_file: str
    log_file: str
    artefact: str
    backup_dir: str
    incoming_dir: str
    http_port: int
    health_path: str = HEALTH_PATH


def host_access(tree: HostTree, backend: BackendName) -> HostAccess:
    """The entry of one prepared host: its password where the server takes one, else its private key."""
    by_password = backend == "asyncssh"
    secret = tree.ssh / ("password" if by_password else "account_key")
    return HostAccess(
        hostname=tree.spec.hostname,
        address=tree.spec.address,
        port=tree.spec.ssh_port,
        username=login_account(tree, backend),
        credential_kind="password" if by_password else "private_key",
        credential_secret=secret.read_text(encoding="ascii"),
        host_key=(tree.ssh / "host_key.pub").read_text(encoding="ascii").strip(),
        app_home=str(tree.app),
        startup=str(tree.startup),
        shutdown=str(tree.shutdown),
        pid_file=str(tree.pid_file),
        log_file=str(tree.log),
        artefact=str(tree.artefact),
        backup_dir=str(tree.app / "backup"),
        incoming_dir=str(tree.root / "incoming"),
        http_port=tree.spec.http_port,
    )
