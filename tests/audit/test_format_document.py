"""`docs/audit-format.md` is enough to recompute a chain: its example is recomputed here from its own words."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import transaction

from audit.chain import body_of, entry_hash, genesis
from audit.personal import open_part
from audit.services import record
from guardia.common.canonical import canonical_bytes
from tests.factories import make_institution

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "audit-format.md").read_text(encoding="utf-8")
PLACE = ("format", "chain", "number", "prev_hash")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*)\n```$", DOCUMENT, re.MULTILINE)


def test_the_example_can_be_recomputed_with_nothing_of_ours() -> None:
    (before,) = blocks("genesis")
    bodies, hashes = blocks("body"), blocks("hash")
    chain = json.loads(bodies[0])["chain"]

    assert len(bodies) == len(hashes) == 2
    assert before == hashlib.sha256(b"\0" + b"guardia-chain-1" + b"\0" + chain.encode()).hexdigest()
    for number, (body, digest) in enumerate(zip(bodies, hashes, strict=True), start=1):
        fields = json.loads(body)
        again = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert again == body
        assert (fields["number"], fields["prev_hash"]) == (number, before)
        assert hashlib.sha256(b"\0" + body.encode()).hexdigest() == digest
        before = digest


def test_the_product_computes_the_same() -> None:
    bodies, hashes = blocks("body"), blocks("hash")

    assert [genesis("institution:MOEF")] == blocks("genesis")
    for body, digest in zip(bodies, hashes, strict=True):
        fields = json.loads(body)
        facts = {key: value for key, value in fields.items() if key not in PLACE}
        made = body_of(chain=fields["chain"], number=fields["number"], prev_hash=fields["prev_hash"], facts=facts)
        assert made == body.encode()
        assert entry_hash(made) == digest


def test_the_personal_part_of_the_example_opens_as_the_document_says() -> None:
    [key], [part] = blocks("key"), blocks("personal")
    body = json.loads(blocks("body")[0])
    sealed = base64.b64decode(body["personal"]["sealed"])
    bound = "\0".join(["guardia-personal-1", body["chain"], str(body["number"]), body["personal"]["key"]])
    assert AESGCM(bytes.fromhex(key)).decrypt(sealed[:12], sealed[12:], bound.encode()).decode() == part
    assert open_part(AESGCM(bytes.fromhex(key)), body["personal"], body["chain"], body["number"]) == json.loads(part)
    assert open_part(AESGCM(bytes.fromhex(key)), body["personal"], body["chain"], body["number"] + 1) is None


@pytest.mark.django_db
def test_an_entry_has_the_documented_fields() -> None:
    table = DOCUMENT.split("## The body")[1].split("## Canonical bytes")[0]
    documented = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    with transaction.atomic():
        entry = record(action="test.done", actor="guardia", institution=make_institution(), commands=["true"])

    assert set(json.loads(entry.body)) == documented


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"b": 1, "a": [True, None, -7]}, '{"a":[true,null,-7],"b":1}'),
        ('"\\/\b\t\n\f\r\x01\x7f가', '"\\"\\\\/\\b\\t\\n\\f\\r\\u0001\x7f가"'),
        ("a\x00b", '"a\ufffdb"'),
        ("a\ud800b", '"a?b"'),
        (10**30, str(10**30)),
    ],
)
def test_the_rules_of_canonical_bytes_hold(value: object, written: str) -> None:
    assert canonical_bytes(value) == written.encode()


@pytest.mark.parametrize("value", [1.0, b"bytes", {1, 2}, {1: "a number for a key"}, float("nan")])
def test_what_the_rules_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_bytes(value)
