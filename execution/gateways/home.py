"""The keys of both sides, in files outside the database.

The core's: `GUARDIA_HOME/keys/gateways/core.pem`, which signs plans and answers; the same on all its machines.
A gateway's: `GUARDIA_HOME/keys/gateway/` with `sign.pem`, `seal.pem`, and after enrolment `core.pub.pem` and `name`.
"""

import contextlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from guardia.common.signing import new_key, public_key


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """A gateway's: what it signs with, and what opens the credentials that it is given."""

    sign: str
    seal: str

    @property
    def public(self) -> tuple[str, str]:
        return public_key(self.sign), public_key(self.seal)


def core_key() -> str:
    """The core's private key, made at first use."""
    return _once(settings.GUARDIA_HOME / "keys" / "gateways" / "core.pem", new_key)


def own_keys() -> OwnKeys:
    """The gateway's, made at first use."""
    return OwnKeys(_once(folder() / "sign.pem", new_key), _once(folder() / "seal.pem", new_key))


def pinned_core() -> str:
    """The public key of the core that this gateway belongs to; empty where there is none."""
    path = folder() / "core.pub.pem"
    return path.read_text() if path.exists() else ""


def pin_core(public_pem: str, name: str) -> None:
    """From here on this home is this gateway's, and believes this core alone."""
    _once(folder() / "core.pub.pem", lambda: public_pem)
    _once(folder() / "name", lambda: name)


def forget_keys() -> None:
    """After a revocation: what isn't there can't be used by whoever finds the machine."""
    for name in ("sign.pem", "seal.pem"):
        (folder() / name).unlink(missing_ok=True)


def folder() -> Path:
    path: Path = settings.GUARDIA_HOME / "keys" / "gateway"
    return path


def _once(path: Path, make: Callable[[], str]) -> str:
    """The file's text; made there when it is missing, by whoever comes first."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text()
