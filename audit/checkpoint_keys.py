"""The keys of the checkpoints: files beside the vault's, outside the database.

`GUARDIA_HOME/keys/checkpoints/` holds `<key id>.pem` (private, one at a time) and `first.pub.pem`, the public key that
is trusted for checkpoint 1. Which key is in force follows from the checkpoints: each may name the one after it.
"""

import os
from pathlib import Path

from django.conf import settings

from audit.exceptions import SealKeyMissing
from guardia.common.signing import key_id, new_key, public_key


def folder() -> Path:
    path: Path = settings.GUARDIA_HOME / "keys" / "checkpoints"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def first_key() -> str:
    """The public key trusted for the first checkpoint; empty before there is one."""
    path = folder() / "first.pub.pem"
    return path.read_text() if path.exists() else ""


def make_key(*, is_first: bool) -> str:
    """A new private key on disk; returns its public half."""
    private = new_key()
    public = public_key(private)
    _write(folder() / f"{key_id(public)}.pem", private)
    if is_first:
        _write(folder() / "first.pub.pem", public)
    return public


def private_key(public: str) -> str:
    """The private half of a key in force. Raises SealKeyMissing."""
    path = folder() / f"{key_id(public)}.pem"
    if not path.exists():
        raise SealKeyMissing
    return path.read_text()


def destroy_key(public: str) -> None:
    """After a rotation: what isn't there can't sign."""
    (folder() / f"{key_id(public)}.pem").unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
