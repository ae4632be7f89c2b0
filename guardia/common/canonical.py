"""Canonical JSON: one value, one sequence of bytes, so that digests and signatures can be made again anywhere.

The rules (a subset of RFC 8785): UTF-8, keys sorted by code point, no white space, no floats; moments are UTC
with microseconds and a `Z`. Whatever the rules can't express is refused instead of guessed.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from json.encoder import encode_basestring
from typing import Any
from uuid import UUID

_CONSTANTS = {None: "null", True: "true", False: "false"}
#: Characters: what is longer is seldom the same, and isn't kept.
_SHARED = 4096


def canonical_bytes(value: Any) -> bytes:
    """The canonical encoding of `value`. Raises TypeError for floats, sets, bytes and unknown objects."""
    return _json(value, {}).encode("utf-8", "backslashreplace")


def digest(value: Any) -> str:
    """SHA-256 of the canonical encoding, in hex."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def moment_text(moment: datetime) -> str:
    """`2026-11-21T04:20:55.000123Z`: the only way a moment is written in canonical documents."""
    if moment.tzinfo is None:
        raise TypeError("a moment without a time zone has no canonical form")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _json(value: Any, seen: dict[int, tuple[Any, str]]) -> str:
    """`seen`: lists and mappings so far with what became of them; a large document has the same ones many times."""
    if isinstance(value, str):
        return encode_basestring(_text(value))
    if value is None or isinstance(value, bool):
        return _CONSTANTS[value]
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, dict | list | tuple | Mapping):
        known = seen.get(id(value))
        return known[1] if known is not None else _container(value, seen)
    if isinstance(value, datetime):
        return encode_basestring(moment_text(value))
    if isinstance(value, date):
        return encode_basestring(value.isoformat())
    if isinstance(value, UUID):
        return encode_basestring(str(value))
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _container(value: Mapping[Any, Any] | list[Any] | tuple[Any, ...], seen: dict[int, tuple[Any, str]]) -> str:
    if isinstance(value, list | tuple):
        text = f"[{','.join([_json(item, seen) for item in value])}]"
    elif all(isinstance(key, str) for key in value):
        parts = {_text(key): _json(item, seen) for key, item in value.items()}
        text = f"{{{','.join([f'{encode_basestring(key)}:{parts[key]}' for key in sorted(parts)])}}}"
    else:
        raise TypeError("canonical objects have text keys only")
    if len(text) <= _SHARED:
        seen[id(value)] = value, text  # the value too, so that nothing else gets its id
    return text


def _text(value: str) -> str:
    if type(value) is str and value.isascii() and "\x00" not in value:
        return value
    # PostgreSQL keeps neither NUL nor lone surrogates; both come only from hostile data.
    return str(value).replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
