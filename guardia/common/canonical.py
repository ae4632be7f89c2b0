"""Canonical JSON: one value, one sequence of bytes, so that digests and signatures can be made again anywhere.

The rules (a subset of RFC 8785): UTF-8, keys sorted by code point, no white space, no floats; moments are UTC
with microseconds and a `Z`. Whatever the rules can't express is refused instead of guessed.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID


def canonical_bytes(value: Any) -> bytes:
    """The canonical encoding of `value`. Raises TypeError for floats, sets, bytes and unknown objects."""
    text = json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "backslashreplace")


def digest(value: Any) -> str:
    """SHA-256 of the canonical encoding, in hex."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def moment_text(moment: datetime) -> str:
    """`2026-11-21T04:20:55.000123Z`: the only way a moment is written in canonical documents."""
    if moment.tzinfo is None:
        raise TypeError("a moment without a time zone has no canonical form")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return _text(value) if isinstance(value, str) else value
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("canonical objects have text keys only")
        return {_text(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _text(value: str) -> str:
    # PostgreSQL keeps neither NUL nor lone surrogates; both come only from hostile data.
    return str(value).replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
