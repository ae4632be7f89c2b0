"""Signatures: ECDSA over P-256 with SHA-256, from the Korean list of validated algorithms (KCMVP).

The algorithm is on the list, this module is not validated: where a validated module is required, it replaces this
file. Keys are PEM (PKCS #8 and SubjectPublicKeyInfo), signatures DER in hex.
"""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_ALGORITHM = ec.ECDSA(hashes.SHA256())


def new_key() -> str:
    """A new private key as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    pkcs8, clear = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, pkcs8, clear).decode()


def public_key(private_pem: str) -> str:
    """The public half as PEM."""
    key = serialization.load_pem_private_key(private_pem.encode(), None).public_key()
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, spki).decode()


def key_id(public_pem: str) -> str:
    """The first 16 hex digits of the SHA-256 of the key's DER (SubjectPublicKeyInfo)."""
    key = serialization.load_pem_public_key(public_pem.encode())
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:16]


def sign(private_pem: str, content: bytes) -> str:
    key = serialization.load_pem_private_key(private_pem.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("only P-256 keys sign")
    return key.sign(content, _ALGORITHM).hex()


def is_signed(public_pem: str, content: bytes, signature: str) -> bool:
    """Whether `signature` is this key's over exactly these bytes; False for anything that isn't."""
    try:
        key = serialization.load_pem_public_key(public_pem.encode())
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            return False
        key.verify(bytes.fromhex(signature), content, _ALGORITHM)
    except (InvalidSignature, ValueError):
        return False
    return True
