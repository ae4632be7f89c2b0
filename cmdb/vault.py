"""The credential vault: AES-256-GCM, the key outside the database (GUARDIA_VAULT_KEY or GUARDIA_HOME/keys/vault_key).

Layout of sealed bytes: 12-byte random nonce, then ciphertext with its 16-byte tag. The associated data binds them to
the row (its UUID), the revision, the user name and the kind.
"""

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from cmdb.exceptions import SealBroken, VaultLocked
from cmdb.models import Credential
from guardia.keys import secret_from_home

_NONCE_BYTES = 12


def seal(credential: Credential, secret: str) -> None:
    """Put `secret` into the (unsaved) credential."""
    key = _key()
    nonce = os.urandom(_NONCE_BYTES)
    credential.key_id = _key_id(key)
    credential.sealed = nonce + AESGCM(key).encrypt(nonce, secret.encode(), _bound_to(credential))


def unseal(credential: Credential) -> str:
    """The clear secret: for a worker's memory, while one connection lives. Raises VaultLocked or SealBroken."""
    key = _key()
    if credential.key_id != _key_id(key):
        raise VaultLocked
    sealed = bytes(credential.sealed)
    try:
        clear = AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound_to(credential))
    except (InvalidTag, ValueError) as error:
        raise SealBroken from error
    return clear.decode()


def _key() -> bytes:
    material = secret_from_home(settings.GUARDIA_HOME, "vault_key", settings.GUARDIA_VAULT_KEY)
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"guardia vault 1").derive(material.encode())


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"guardia vault key id" + key).hexdigest()[:16]


def _bound_to(credential: Credential) -> bytes:
    return f"{credential.pk}|{credential.revision}|{credential.kind}|{credential.username}".encode()
