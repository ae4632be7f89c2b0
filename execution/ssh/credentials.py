"""Proving who we are. Called only after the host key was found to be pinned."""

import io
import threading
from weakref import WeakKeyDictionary

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm

from execution.ssh.deadline import Deadline
from execution.ssh.exceptions import (
    AuthenticationRefused,
    AuthenticationTimeout,
    BadCredential,
    ConnectionLost,
    SshError,
)
from execution.ssh.legacy import RSAKeyWithSHA1
from execution.ssh.target import Secret
from execution.ssh.transport import QuietTransport

_KINDS: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, RSAKeyWithSHA1)
_parsed: WeakKeyDictionary[Secret, paramiko.PKey] = WeakKeyDictionary()
_parsing = threading.Lock()


def private_key(secret: Secret) -> paramiko.PKey:
    """The key of a secret, parsed once as long as the secret lives. Raises BadCredential, which doesn't say more."""
    with _parsing:
        key = _parsed.get(secret)
        if key is None:
            key = _parsed[secret] = _parse(secret)
        return key


def _parse(secret: Secret) -> paramiko.PKey:
    for kind in _KINDS:
        try:
            return kind.from_private_key(io.StringIO(secret.value), secret.passphrase)
        except (paramiko.SSHException, ValueError, TypeError, IndexError, UnsupportedAlgorithm):
            continue  # another kind of key, or unreadable: the last word is below
    raise BadCredential


def authenticate(transport: QuietTransport, username: str, secret: Secret, deadline: Deadline) -> None:
    """Log in. Raises BadCredential, AuthenticationRefused, AuthenticationTimeout, ConnectionLost, Cancelled."""
    key = private_key(secret) if secret.kind == "private_key" else None
    failure: type[SshError] | None = None
    try:
        if key is not None:
            more = transport.auth_publickey(username, key)
        else:
            more = transport.auth_password(username, secret.value)  # falls back to keyboard-interactive
        failure = AuthenticationRefused if more else None  # a second factor is asked that we don't have
    except (paramiko.SSHException, EOFError, OSError):
        # OpenSSH answers the last allowed attempt by a farewell instead of a refusal; a broken line is neither.
        refused = transport.is_active() or transport.dismissed
        failure = AuthenticationRefused if refused else ConnectionLost
    # Outside the handler on purpose: paramiko's frames hold the password, and a chained error would keep them.
    if failure is not None:
        deadline.check(AuthenticationTimeout)
        raise failure()
