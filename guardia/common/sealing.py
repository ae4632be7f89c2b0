"""Sealed secrets: AES-256-GCM under a key that is kept outside the database (GUARDIA_VAULT_KEY or
GUARDIA_HOME/keys/vault_key), one derived key per purpose.

Layout of sealed bytes: 12-byte random nonce, then ciphertext with its 16-byte tag. `bound_to` is the associated data:
sealed bytes copied to another row don't open.
"""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from guardia.keys import secret_from_home

_NONCE_BYTES = 12


def derived_key(purpose: str) -> bytes:
    """The 32-byte key for `purpose` ("guardia vault 1")."""
    material = secret_from_home(settings.GUARDIA_HOME, "vault_key", settings.GUARDIA_VAULT_KEY)
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(material.encode())


def seal_bytes(key: bytes, clear: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, clear, bound_to)


def open_sealed(key: bytes, sealed: bytes, bound_to: bytes) -> bytes | None:
    """The clear bytes; None when the seal doesn't hold (another key, another row, changed bytes)."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError):
        return None


def keyed_digest(purpose: str, text: str) -> str:
    """HMAC-SHA256 in hex: short codes can't be guessed from a stolen table without the key."""
    return hmac.new(derived_key(purpose), text.encode(), hashlib.sha256).hexdigest()
