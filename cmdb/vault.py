"""The credential vault: AES-256-GCM, the key outside the database (GUARDIA_VAULT_KEY or GUARDIA_HOME/keys/vault_key).

How it is sealed is `guardia.common.sealing`'s. The associated data binds them to
the row (its UUID), the revision, the user name and the kind.
"""

import hashlib

from cmdb.exceptions import SealBroken, VaultLocked
from cmdb.models import Credential
from guardia.common.sealing import derived_key, open_sealed, seal_bytes

_PURPOSE = "guardia vault 1"


def seal(credential: Credential, secret: str) -> None:
    """Put `secret` into the (unsaved) credential."""
    key = derived_key(_PURPOSE)
    credential.key_id = _key_id(key)
    credential.sealed = seal_bytes(key, secret.encode(), _bound_to(credential))


def unseal(credential: Credential) -> str:
    """The clear secret: for a worker's memory, while one connection lives. Raises VaultLocked or SealBroken."""
    key = derived_key(_PURPOSE)
    if credential.key_id != _key_id(key):
        raise VaultLocked
    clear = open_sealed(key, bytes(credential.sealed), _bound_to(credential))
    if clear is None:
        raise SealBroken
    return clear.decode()


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"guardia vault key id" + key).hexdigest()[:16]


def _bound_to(credential: Credential) -> bytes:
    return f"{credential.pk}|{credential.revision}|{credential.kind}|{credential.username}".encode()
