"""Steps that replace a certificate. The private key never travels: it lies on the host, where it was made."""

from collections.abc import Sequence

from execution.steps.arguments import absolute, between, line
from execution.steps.arguments import port as checked_port
from execution.steps.config import replace_file
from execution.steps.ops import Step, Tls, check
from execution.steps.scripts import scripted


def check_certificate(*, incoming: str, key: str, days: int = 30) -> Step:
    """The uploaded certificate belongs to the private key at `key` and is valid for `days` more."""
    return check(
        "check_certificate",
        scripted("certificate", absolute(incoming), absolute(key), str(between(days, 0, 3650))),
    )


def install_certificate(
    *, incoming: str, path: str, sha256: str, backup: str, validate: Sequence[str] = (), reload: Sequence[str] = ()
) -> Step:
    """The certificate takes its place and the service has read it; undone, the service reads the old one again."""
    step = replace_file(incoming=incoming, path=path, sha256=sha256, backup=backup, validate=validate, reload=reload)
    return {**step, "name": "install_certificate"}


def check_tls(*, port: int, name: str, sha256: str, seconds: int = 30) -> Step:
    """A handshake on the port shows the certificate with this digest (SHA-256 of its DER form)."""
    op: Tls = {"op": "tls", "port": checked_port(port), "name": line(name), "sha256": sha256, "seconds": seconds}
    return check("check_tls", op)
