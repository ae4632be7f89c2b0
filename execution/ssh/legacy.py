"""Algorithms that paramiko has dropped, for servers that have nothing better. Off unless a profile allows one by name.

A host that knows a modern algorithm as well is spoken to in that one: what is allowed here stands last in each list.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha1
from typing import Any

import paramiko
from cryptography.hazmat.primitives import hashes
from paramiko.kex_gex import KexGexSHA256
from paramiko.kex_group14 import KexGroup14SHA256

_OAKLEY_GROUP_2 = int(  # RFC 2409, section 6.2
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B"
    "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6"
    "49286651ECE65381FFFFFFFFFFFFFFFF",
    16,
)


class KexGroup14SHA1(KexGroup14SHA256):
    name = "diffie-hellman-group14-sha1"
    hash_algo = sha1


class KexGroup1SHA1(KexGroup14SHA1):
    name = "diffie-hellman-group1-sha1"
    P = _OAKLEY_GROUP_2


class KexGexSHA1(KexGexSHA256):
    name = "diffie-hellman-group-exchange-sha1"
    min_bits = 1024
    hash_algo = sha1


class RSAKeyWithSHA1(paramiko.RSAKey):
    """Signs and verifies the old way too; whether that way is spoken is settled by the negotiated algorithm."""

    HASHES = paramiko.RSAKey.HASHES | {"ssh-rsa": hashes.SHA1}  # type: ignore[misc]  # final in the stubs only


_KEX = (KexGexSHA1, KexGroup14SHA1, KexGroup1SHA1)
KEX_INFO: Mapping[str, Any] = {kex.name: kex for kex in _KEX}
#: kind → algorithms, the better first
LEGACY: Mapping[str, tuple[str, ...]] = {
    "kex": tuple(KEX_INFO),
    "key": ("ssh-rsa",),
    "cipher": ("aes256-cbc", "aes192-cbc", "aes128-cbc", "3des-cbc"),
    "mac": ("hmac-sha1-96", "hmac-md5", "hmac-md5-96"),
}


def allowed(kind: str, names: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` that are legacy algorithms of this kind, the better first."""
    chosen = frozenset(names)
    return tuple(name for name in LEGACY[kind] if name in chosen)
