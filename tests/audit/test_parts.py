"""The quick ways to verify say what the close look says: lines by a pattern, and parts found by other processes."""

import os
import signal
from random import Random
from typing import Any

import psutil
import pytest
from django.db import transaction
from hypothesis import example, given
from hypothesis import strategies as st

from audit.chain import FIELDS, FORMAT, SEED_FIELDS, body_of, entry_hash, genesis
from audit.models import Chain
from audit.services import record
from audit.verifying import all_chains
from audit.verifying.parts import ranges
from audit.verifying.processes import parts_beside, parts_here
from audit.verifying.rows import Row, row_of
from audit.verifying.soundness import sound_place, usual_place
from tests.audit.forgery import forge
from tests.audit.paper_chain import KEY, line_of
from tests.factories import make_institution

COPIED = ("recorded_at", "action", "actor", "task_id", "object_type", "object_id")


def row_for(body: bytes, columns: dict[str, str], number: int = 7) -> Row:
    said = {"number": str(number), "hash": entry_hash(body), "prev_hash": genesis(KEY), **columns}
    return Row(*(said[name].encode("utf-8", "surrogatepass") for name in Row._fields[:-1]), body)


def entry_of(**told: Any) -> tuple[bytes, dict[str, str]]:
    columns = {name: str(told.get(name, name)) for name in COPIED}
    texts = dict.fromkeys(("object", "source_ip", "channel", "run_id", "summary"), "")
    facts = {**texts, **SEED_FIELDS, "facts": {}, "personal": None, **told, **columns}
    return body_of(chain=KEY, number=7, prev_hash=genesis(KEY), facts=facts), columns


def agree(row: Row) -> bool:
    """Whether the pattern knows the line; if so it says of it what the close look says."""
    line = line_of(row)
    assert row_of(line) == row
    quick = usual_place(line)
    assert quick is None or quick == sound_place(row)
    return quick is not None


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
facts = st.dictionaries(
    texts, st.none() | st.booleans() | st.integers() | texts | st.lists(texts) | st.dictionaries(texts, st.integers())
)


@given(told=st.fixed_dictionaries({"summary": texts, "commands": st.lists(texts), "server": texts, "facts": facts}))
def test_what_the_product_writes_is_known_by_the_pattern(told: dict[str, Any]) -> None:
    assert agree(row_for(*entry_of(**told, result_code=len(told["facts"]) - 1)))


@given(actor=texts, action=texts)
def test_columns_with_any_text_are_judged_alike(actor: str, action: str) -> None:
    agree(row_for(*entry_of(actor=actor, action=action)))


HOSTILE = [
    (b'"facts":{}', b'"facts":{"a":1.5}'),
    (b'"facts":{}', b'"facts":{"a":1e3}'),
    (b'"facts":{}', b'"facts":{"a":-0}'),
    (b'"facts":{}', b'"facts":{"a":01}'),
    (b'"facts":{}', b'"facts":{"b":1,"a":2}'),
    (b'"facts":{}', b'"facts":{"a":1,"a":2}'),
    (b'"facts":{}', b'"facts":{"a": 1}'),
    (b'"facts":{}', b'"facts":{"a":NaN}'),
    (b'"facts":{}', b'"facts":{a}'),
    (b'"facts":{}', b'"facts":{},"facts":{}'),
    (b'"facts":{}', b'"facts":{"a":"},\\"format\\":3,\\"number\\":8"}'),
    (b'"facts":{}', b'"facts":{"a":"\\u0000"}'),
    (b'"facts":{}', b'"facts":{"a":"\\u0041"}'),
    (b'"facts":{}', b'"facts":{"a":"\\/"}'),
    (b'"facts":{}', b'"facts":{"a":"\x07"}'),
    (b'"facts":{}', b'"facts":{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"),
    (b'"facts":{}', b'"facts":{"a":1}}'),
    (b'"result_code":null', b'"result_code":-0'),
    (b'"result_code":null', b'"result_code":1.0'),
    (b'"result_code":null', b'"result_code":true'),
    (b'"result_code":null', b'"result_code":00'),
    (b'"summary":""', b'"summary":"\x01"'),
    (b'"summary":""', b'"summary":"\x7f"'),
    (b'"summary":""', b'"summary":"\\u001F"'),
    (b'"summary":""', b'"summary":"\\u0009"'),
    (b'"summary":""', b'"summary":"\\u000b"'),
    (b'"summary":""', b'"summary":"\\a"'),
    (b'"summary":""', b'"summary":"\xff"'),
    (b'"summary":""', b'"summary":"\xed\xa0\x80"'),
    (b'"summary":""', b'"summary":"","zzz":1'),
    (b'"summary":""', b'"summary":null'),
    (b'"summary":""', b'"summary": ""'),
    (b'"personal":null', b'"personal":{}'),
    (b'"personal":null', b'"personal":{"key":"k","sealed":1}'),
    (b'"personal":null', b'"personal":{"key":"k","sealed":"\xff"}'),
    (b'"commands":[]', b'"commands":[1]'),
    (b'"commands":[]', b'"commands":[""]'),
    (b'"commands":[]', b'"commands":["",]'),
    (b'"commands":[]', b'"commands":{}'),
    (b'"actor":"actor"', b'"actor":"actor","actor":"actor"'),
    (b'"actor":"actor"', b'"actor":"act\\u006fr"'),
    (b'"format":3', b'"format":2'),
    (b'"format":3', b'"format":"3"'),
    (b'"number":7', b'"number":8'),
    (b'"number":7', b'"number":7.0'),
    (b'"chain":"institution:PAPER"', b'"chain":"institution:\\"PAPER"'),
    (b"{", b" {"),
    (b"}", b"} "),
]


@pytest.mark.parametrize(("old", "new"), HOSTILE)
def test_a_body_that_was_forged_with_its_hash_is_judged_alike(old: bytes, new: bytes) -> None:
    body, columns = entry_of()
    assert old in body
    agree(row_for(body.replace(old, new), columns))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", 'a","x":"b'),
        ("actor", 'actor"'),
        ("actor", "act\tor"),
        ("object_id", "1\t2"),
        ("action", "a\\"),
        ("task_id", "\x02"),
    ],
)
def test_columns_that_look_like_json_or_more_columns_deceive_nobody(column: str, value: str) -> None:
    body, columns = entry_of()
    agree(row_for(body, {**columns, column: value}))
    told = body.replace(f'"{column}":"{column}"'.encode(), f'"{column}":"{value}"'.encode())
    agree(row_for(told, {**columns, column: value}))
    agree(row_for(told, columns))


@given(seed=st.integers(0, 2**32), times=st.integers(1, 4))
@example(seed=1, times=1)
def test_any_bytes_changed_are_judged_alike(seed: int, times: int) -> None:
    dice = Random(seed)
    body, columns = entry_of(summary='한글 "a"\n', facts={"n": {"b": "\\"}}, commands=["echo '$x'"])
    raw = bytearray(body)
    for _ in range(times):
        at = dice.randrange(len(raw))
        raw[at : at + dice.choice([0, 1])] = dice.choice(
            [b"", b'"', b"\\", b"{", b"}", b",", b"0", b"\x00", b"\x1f", b"\xff"]
        )
    if b"\x00" not in raw:  # PostgreSQL keeps none
        agree(row_for(bytes(raw), columns))


def test_the_pattern_is_of_todays_format() -> None:
    assert max(FIELDS) == FORMAT


def long_chain(length: int) -> Chain:
    institution = make_institution()
    for _ in range(length // 50):
        with transaction.atomic():
            for number in range(50):
                record(action="test.done", actor="t", institution=institution, summary="끝\t", number=number)
    return Chain.objects.get(key=f"institution:{institution.code}")


@pytest.fixture
def _small_parts(monkeypatch: Any) -> None:
    monkeypatch.setattr(all_chains, "_MANY", 1)
    monkeypatch.setattr(all_chains, "_PART_SIZE", 30)
    monkeypatch.setattr(all_chains, "processors", lambda: 3)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_small_parts")
def test_processes_beside_say_what_one_process_says() -> None:
    chain = long_chain(200)
    whole = all_chains.verify_all()
    assert whole.is_intact and [(one.entries, one.head_hash) for one in whole if one.chain == chain.key] == [
        (200, chain.head_hash)
    ]
    for sql, number, kind in [
        ("UPDATE audit_entry SET actor = 'nobody' WHERE chain_id = %s AND number = 95", 95, "altered"),
        ("DELETE FROM audit_entry WHERE chain_id = %s AND number IN (61, 150)", 61, "deleted"),
        ("DELETE FROM audit_entry WHERE chain_id = %s AND number > 30", 31, "deleted"),
    ]:
        forge(sql, chain.pk)
        (fault,) = all_chains.verify_all().faults
        with transaction.atomic():  # here one process looks
            assert all_chains.verify_all().faults == [fault]
        assert (fault.chain, fault.number) == (chain.key, number) and fault.kind in (kind, "cut_tail")


@pytest.mark.django_db(transaction=True)
def test_the_rest_is_read_here_when_the_processes_are_killed() -> None:
    chain = long_chain(200)
    asked = list(ranges(chain.pk, chain.key, 0, 200, 20))
    with transaction.atomic():
        expected = list(parts_here(iter(asked)))
        parts = parts_beside(iter(asked), 2)
        found = [next(parts)]
        for pid in children("audit.verifying.part_process"):
            os.kill(pid, signal.SIGKILL)
        found += parts
    assert found == expected and None not in found and not children("audit.verifying.part_process")


@pytest.mark.django_db(transaction=True)
def test_all_is_read_here_where_no_process_can_begin(monkeypatch: Any) -> None:
    chain = long_chain(100)
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with transaction.atomic():
        found = list(parts_beside(ranges(chain.pk, chain.key, 0, 100, 20), 2))
    assert [len(part.hashes) for part in found if part is not None] == [20] * 5


@pytest.mark.django_db(transaction=True)
def test_nothing_is_left_when_nobody_wants_the_rest() -> None:
    chain = long_chain(100)
    with transaction.atomic():
        parts = parts_beside(ranges(chain.pk, chain.key, 0, 10**18, 10), 2)
        assert next(parts) is not None
        parts.close()
    assert not children("audit.verifying.part_process")


def children(name: str) -> list[int]:
    """The processes of ours whose command names it."""
    return [child.pid for child in psutil.Process().children() if name in child.cmdline()]
