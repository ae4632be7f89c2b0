"""What goes over the line, and what of it is signed: pure, the same on both sides."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from guardia.common.canonical import canonical_bytes

FORMAT = 1
PREFIX = "/gateway/v1/"
#: How far the clocks may be apart, in seconds; a message is believed for so long, and its nonce kept for twice that.
TOLERANCE = 120
LARGEST_BODY = 16 * 1024 * 1024
LARGEST_ANSWER = 64 * 1024 * 1024
CHUNK = 1024 * 1024
NAME, TIME, NONCE, SIGNATURE = "X-Guardia-Gateway", "X-Guardia-Time", "X-Guardia-Nonce", "X-Guardia-Signature"


@dataclass(frozen=True, slots=True)
class Request:
    """One message of a gateway: who asks for what, when, and the digest of the body."""

    gateway: str
    path: str
    time: int
    nonce: str
    body: bytes

    def signed_bytes(self) -> bytes:
        return _domain(
            "request",
            gateway=self.gateway,
            path=self.path,
            time=self.time,
            nonce=self.nonce,
            body=hashlib.sha256(self.body).hexdigest(),
        )


def answer_bytes(request: Request, status: int, body: bytes) -> bytes:
    """What the core signs: its answer to exactly this message."""
    asked = hashlib.sha256(request.signed_bytes()).hexdigest()
    return _domain("answer", asked=asked, status=status, body=hashlib.sha256(body).hexdigest())


def part_bytes(gateway: str, digest: str) -> bytes:
    """What the core signs of a gateway's part of a plan, by its SHA-256; the gate asks before every connection."""
    return _domain("part", gateway=gateway, digest=digest)


def credential_bound(name: str, pk: str, revision: int) -> bytes:
    """What a credential on its way is bound to: this gateway, this credential, this revision."""
    return _domain("credential", gateway=name, credential=pk, revision=revision)


def parcel_digest(previous: str, body: str) -> str:
    """Of one parcel of the spool; `previous` is that of the one before, empty for the first."""
    return hashlib.sha256(
        _domain("parcel", previous=previous, body=hashlib.sha256(body.encode()).hexdigest())
    ).hexdigest()


def enrolment_mac(code: str, name: str, **said: str) -> str:
    """That whoever says this knows the one-time code, without telling it."""
    return hmac.new(plain_code(code).encode(), _domain("enrolment", gateway=name, **said), hashlib.sha256).hexdigest()


def plain_code(code: str) -> str:
    """A one-time code as it counts, however it was typed."""
    return "".join(sign for sign in code.upper() if sign.isalnum())


def fingerprint(sign_key: str, seal_key: str) -> str:
    """Of a gateway's two public keys: 32 hex digits in groups, to be read aloud."""
    digest = hashlib.sha256(_domain("keys", sign=sign_key.strip(), seal=seal_key.strip())).hexdigest()[:32]
    return " ".join(digest[at : at + 4] for at in range(0, 32, 4))


def _domain(kind: str, **said: Any) -> bytes:
    """No two kinds of statement have the same bytes."""
    return b"guardia gateway\x00" + canonical_bytes({"kind": kind, "format": FORMAT, **said})
