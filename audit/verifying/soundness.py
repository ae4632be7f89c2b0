"""Whether one stored entry is what was recorded, wherever it stands: hash, canonical form, fields and columns agree.

`sound_body` reads and writes the JSON again. `usual_place` knows nearly all lines by a pattern, in half the time.
"""

import hashlib
import json
import re
from binascii import hexlify
from functools import lru_cache
from itertools import chain as joined
from json.encoder import c_make_encoder, encode_basestring  # type: ignore[attr-defined]  # as the json module uses it
from typing import Any, NoReturn

import orjson

from audit.chain import FIELDS, FORMAT
from audit.verifying.rows import Row

_sha256 = hashlib.sha256
_TABS = 6
_HOLDERS = 100


def _refuse(value: Any) -> NoReturn:
    raise ValueError(value)


_decoder: Any = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse)
_scan = _decoder.scan_once
_encode = c_make_encoder(None, _refuse, encode_basestring, None, ":", ",", True, False, False)


#: Where a sound entry says that it stands (number, chain, hash before), and its hash, all as stored; the hash in bytes.
Place = tuple[bytes, bytes, bytes, bytes, bytes]


def sound_body(row: Row) -> dict[str, Any] | None:
    """The row's body, where hash, canonical form, fields and columns agree; None otherwise.

    Says nothing of the place: number, chain and the hash before are the caller's.
    """
    raw = row.body
    if _sha256(b"\x00" + raw).hexdigest().encode() != row.hash:
        return None
    try:
        body = _read(raw)
        columns = "\t".join(
            (
                body["prev_hash"],
                body["recorded_at"],
                body["action"],
                body["actor"],
                body["task_id"],
                body["object_type"],
                body["object_id"],
            )
        )
        if type(body["format"]) is not int or body.keys() != FIELDS.get(body["format"]):
            return None
        if type(body["number"]) is not int or type(body["chain"]) is not str:
            return None
        is_same = columns.encode() == b"\t".join(row[2:9]) and columns.count("\t") == _TABS
    except (ValueError, TypeError, KeyError, StopIteration, RecursionError):
        return None
    return body if is_same else None


def sound_place(row: Row) -> Place | None:
    """The place of a sound row whose number is its body's; None otherwise."""
    body = sound_body(row)
    if body is None or row.number != str(body["number"]).encode():
        return None
    return row.number, body["chain"].encode(), row.prev_hash, row.hash, bytes.fromhex(row.hash.decode())


def _line(inner: bytes, column: bytes) -> re.Pattern[bytes]:
    """A line that tells a sound body of today's format. `inner`: what texts of the body hold; `column`: the columns."""
    text = b'"%b"' % inner
    flat = rb'\{(?:[^{}"]++|%b)*+\}' % text
    #: field of the body → what stands there; all others are texts. Facts are only cut out here: they are read besides.
    values = {
        **{name: b'"(?P=%b)"' % name.encode() for name in _COPIED},
        "format": b"%d" % FORMAT,
        "number": b"(?P=number)",
        "chain": b'"(?P<chain>%b)"' % column,
        "commands": rb"\[(?:%b(?:,%b)*+)?+\]" % (text, text),
        "facts": rb'(?P<facts>\{(?:[^{}"]++|%b|%b)*+\})' % (text, flat),
        "personal": rb'(?:null|\{"key":%b,"sealed":%b\})' % (text, text),
        "result_code": b"(?:null|0|-?[1-9][0-9]*+)",
    }
    body = b",".join(b'"%b":%b' % (name.encode(), values.get(name, text)) for name in sorted(FIELDS[FORMAT]))
    columns = b"".join(rb"(?P<%b>%b)\t" % (name.encode(), column) for name in _COPIED)
    return re.compile(rb"(?P<number>[1-9][0-9]*+)\t(?P<hash>[0-9a-f]{64})\t%b(?P<body>\{%b\})\n" % (columns, body))


#: Columns that copy a field of the body.
_COPIED = Row._fields[2:9]
# Where nothing is escaped a pattern of single characters is nearly twice as fast; control characters are looked for
# besides. Else: what JSON escapes, with its backslashes doubled by COPY.
_PLAIN = _line(rb'[^"]*+', rb'[^"\t]*+')
_ESCAPED = _line(
    rb'[^"\\]*+(?:\\\\(?:["bfnrt]|\\\\|u00(?:0[1-7be-f]|1[0-9a-f]))[^"\\]*+)*+',
    rb'[^"\\\t]*+',
)
_CONTROLS = bytes(range(32))


def usual_place(line: bytes) -> Place | None:
    """The place of the sound entry in this line of COPY; None where only `sound_place` can tell."""
    is_plain = b"\\" not in line
    match = (_PLAIN if is_plain else _ESCAPED).fullmatch(line)
    if match is None:
        return None
    number, chain, before, stored, body, facts = match.group("number", "chain", "prev_hash", "hash", "body", "facts")
    if not is_plain:
        body, facts = body.replace(b"\\\\", b"\\"), facts.replace(b"\\\\", b"\\")
    digest = _sha256(b"\x00" + body).digest()
    if hexlify(digest) != stored or len(body.translate(None, _CONTROLS)) != len(body):
        return None
    if not (line.isascii() or _is_utf8(line)):
        return None
    is_canonical = _is_often_canonical if len(facts) < _SHORT else _is_canonical
    return (number, chain, before, stored, digest) if is_canonical(facts) else None


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except ValueError:
        return False
    return True


def _is_canonical(raw: bytes) -> bool:
    try:
        _read(raw)
    except (ValueError, StopIteration, RecursionError):
        return False
    return True


#: Most facts have been there before (`{"attempt":1,"phase":"APPLY"}`).
_SHORT = 128
_is_often_canonical = lru_cache(4096)(_is_canonical)


def _read(raw: bytes) -> Any:
    """The value of canonical JSON. Raises ValueError, StopIteration or RecursionError for any other.

    orjson reads and writes it six times as fast as the standard library. Where the two might differ (numbers that
    aren't integers, deep nesting, anything that isn't written again as it was) the standard library decides.
    """
    try:
        value = orjson.loads(raw)
        is_same = orjson.dumps(value, option=orjson.OPT_SORT_KEYS) == raw
        if is_same and b"\\u0000" not in raw and _is_plain(value):
            return value
    except orjson.JSONDecodeError:  # the standard library says why
        pass
    text = raw.decode()
    value, end = _scan(text, 0)
    if end != len(text) or "".join(_encode(value, 0)) != text or _has_nul(value):
        raise ValueError("not canonical")
    return value


def _is_plain(value: Any) -> bool:
    """Nothing in it but text, integers, truth values, null and what holds them, of which there are few."""
    holders = [value]
    for holder in holders:  # it grows
        for item in holder.values() if type(holder) is dict else holder:
            kind = type(item)
            if kind is str or kind is int:
                continue
            if kind is dict or kind is list:
                holders.append(item)
            elif kind is float:
                return False
    return len(holders) < _HOLDERS


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_nul(item) for item in joined(value, value.values()))
    return isinstance(value, list) and any(map(_has_nul, value))
