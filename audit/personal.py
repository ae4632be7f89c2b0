"""Which parts of an entry speak of people, and how they are sealed: pure (docs/audit-format.md, “Personal data”).

The hash covers the sealed bytes, so the chain verifies without any key, and goes on to when a key is erased. Who acted
and from where (`actor`, `source_ip`) stay clear: that is the record of access that has to be kept.
"""

import base64
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guardia.common.canonical import canonical_bytes

#: What people wrote, whatever it is about.
TEXTS = frozenset({"summary"})
#: Kinds of objects whose name holds a person's: their `object` is sealed.
OBJECTS = frozenset(
    {"user", "membership", "usersession", "apitoken", "totpdevice", "recoverycode", "passwordrecord", "systemowner"}
    | {"absence", "resultreview", "takeover", "manualrecord", "evidence", "stepquestion"}
)
#: Facts about people; a bare digest of what people wrote can be guessed, so it is one.
FACTS = frozenset({"user", "deputy", "people", "period", "query", "files", "text_sha256"})

_DOMAIN = b"guardia-personal-1\x00"
_NONCE_BYTES = 12


def personal_part(object_type: str, said: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """What of an entry is to be sealed: fields of the body, and under `facts` those of its facts. Empty: nothing."""
    part = {name: said[name] for name in TEXTS if said[name]}
    if object_type in OBJECTS and said["object"]:
        part["object"] = said["object"]
    hidden = {name: facts[name] for name in FACTS & facts.keys()}
    return {**part, "facts": hidden} if hidden else part


def seal_part(cipher: AESGCM, key_id: str, part: dict[str, Any], chain: str, number: int) -> dict[str, str]:
    """The body's field `personal`."""
    nonce = os.urandom(_NONCE_BYTES)
    sealed = nonce + cipher.encrypt(nonce, canonical_bytes(part), _bound_to(chain, number, key_id))
    return {"key": key_id, "sealed": base64.b64encode(sealed).decode()}


def open_part(cipher: AESGCM, personal: dict[str, str], chain: str, number: int) -> dict[str, Any] | None:
    """What was sealed; None where it doesn't open: another key, another place, other bytes."""
    try:
        sealed = base64.b64decode(personal["sealed"], validate=True)
        clear = cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound_to(chain, number, personal["key"]))
    except (InvalidTag, ValueError):
        return None
    part: dict[str, Any] = json.loads(clear)
    return part


def _bound_to(chain: str, number: int, key_id: str) -> bytes:
    return _DOMAIN + f"{chain}\x00{number}\x00{key_id}".encode()
