"""What only one receiver can open: ECDH over P-256 with a key made for the one message, HKDF-SHA-256, AES-256-GCM.

The algorithms are on the Korean list (KCMVP), this module is not validated: where a validated module is required, it
replaces this file. Layout: the 65-byte uncompressed point of the one-time key, then `guardia.common.sealing`'s bytes.
Keys are those of `guardia.common.signing`, never the same key for both uses.
"""

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from guardia.common.sealing import open_sealed, seal_bytes

_POINT_BYTES = 65
_INFO = b"guardia agreement 1"


def seal_for(public_pem: str, clear: bytes, bound_to: bytes) -> bytes:
    """`clear` for the holder of the private half; `bound_to` must be said again to open it. Raises ValueError for
    what is no P-256 key."""
    receiver = serialization.load_pem_public_key(public_pem.encode())
    if not isinstance(receiver, ec.EllipticCurvePublicKey) or not isinstance(receiver.curve, ec.SECP256R1):
        raise ValueError("not a P-256 key")
    once = ec.generate_private_key(ec.SECP256R1())
    point = _point(once.public_key())
    return point + seal_bytes(_key(once.exchange(ec.ECDH(), receiver), point, _point(receiver)), clear, bound_to)


def open_for(private_pem: str, sealed: bytes, bound_to: bytes) -> bytes | None:
    """The clear bytes; None where they were sealed for another key, or changed."""
    own = serialization.load_pem_private_key(private_pem.encode(), None)
    assert isinstance(own, ec.EllipticCurvePrivateKey), "a key of ours"
    point = sealed[:_POINT_BYTES]
    try:
        once = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        return None
    key = _key(own.exchange(ec.ECDH(), once), point, _point(own.public_key()))
    return open_sealed(key, sealed[_POINT_BYTES:], bound_to)


def _key(shared: bytes, once: bytes, receiver: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO + once + receiver).derive(shared)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
