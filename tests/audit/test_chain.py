"""Whatever is done to a chain behind the program's back, the verification names the chain and the first bad entry."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.chain import entry_hash
from audit.models import Chain, Entry
from audit.seal import Fault
from audit.services.make_checkpoint import make_checkpoint
from audit.verifying.all_chains import verify_all
from guardia.common.canonical import canonical_bytes
from tests.audit.forgery import make_chain, triggers_off

pytestmark = pytest.mark.django_db
LENGTH = 40
COLUMNS = [field.attname for field in Entry._meta.concrete_fields if field.attname not in ("id", "chain_id")]


@contextmanager
def undone() -> Iterator[None]:
    """The block's changes are rolled back, so that one chain serves many forgeries."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def found(chain: Chain) -> Fault:
    """The one fault, in this chain and no other."""
    reports = {report.chain: report for report in verify_all()}
    faults = [report.fault for report in reports.values() if report.fault is not None]
    assert len(faults) == 1 and faults[0].chain == chain.key, reports
    return faults[0]


def changed(entry: Entry, column: str) -> Any:
    """Another value of the same type for this column."""
    value = getattr(entry, column)
    if column == "number":
        return 1000
    if column == "recorded_at":
        return value + timedelta(microseconds=1)
    if column in ("hash", "prev_hash"):
        return ("0" if value[0] != "0" else "1") + value[1:]
    return value.replace("test.act", "test.acr") if column == "body" else f"{value}x"


def test_an_untouched_chain_is_intact_and_says_its_length_and_head() -> None:
    chain = make_chain(LENGTH)
    (report,) = [report for report in verify_all() if report.chain == chain.key]
    assert report.is_intact and (report.entries, report.head_hash) == (LENGTH, chain.head_hash)


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_of_every_entry_is_held(column: str) -> None:
    make_chain(3)
    chain = make_chain(LENGTH)
    for entry in list(chain.entries.order_by("number")):
        with undone(), triggers_off():
            Entry.objects.filter(pk=entry.pk).update(**{column: changed(entry, column)})
            assert found(chain).number == entry.number


def test_an_entry_that_is_gone_is_missed_by_its_number() -> None:
    chain = make_chain(LENGTH)
    for entry in list(chain.entries.order_by("number")):
        with undone(), triggers_off():
            entry.delete()
            fault = found(chain)
            assert fault.number == entry.number
            assert fault.kind == ("cut_tail" if entry.number == LENGTH else "deleted")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_forgery_at_any_place_is_found(data: st.DataObject) -> None:
    chain = Chain.objects.filter(head_number=LENGTH).first() or make_chain(LENGTH)
    other = Chain.objects.filter(head_number=5).first() or make_chain(5)
    place = data.draw(st.integers(1, LENGTH), label="place")
    act = data.draw(st.sampled_from(sorted(FORGERIES)), label="act")
    with undone(), triggers_off():
        expected = FORGERIES[act](chain, other, place, data)
        fault = found(chain)
        assert fault.number == expected, (act, fault)


def _swap(chain: Chain, other: Chain, place: int, data: st.DataObject) -> int:
    second = data.draw(st.integers(1, LENGTH).filter(lambda number: number != place))
    one, two = (chain.entries.get(number=number) for number in (place, second))
    Entry.objects.filter(pk=one.pk).update(number=-1)
    Entry.objects.filter(pk=two.pk).update(number=place)
    Entry.objects.filter(pk=one.pk).update(number=second)
    return min(place, second)


def _cut_tail(chain: Chain, other: Chain, place: int, data: st.DataObject) -> int:
    chain.entries.filter(number__gte=place).delete()
    return place


def _move_here(chain: Chain, other: Chain, place: int, data: st.DataObject) -> int:
    """An entry of another chain in the place of one of ours."""
    mine, theirs = chain.entries.get(number=place), other.entries.get(number=5)
    fields = {name: getattr(theirs, name) for name in COLUMNS if name != "number"}
    Entry.objects.filter(pk=mine.pk).update(**fields)
    return place


def _insert(chain: Chain, other: Chain, place: int, data: st.DataObject) -> int:
    """A forged entry with a true hash, pushed in between; what follows moves up."""
    for entry in chain.entries.filter(number__gte=place).order_by("-number"):
        Entry.objects.filter(pk=entry.pk).update(number=entry.number + 1)
    source = chain.entries.get(number=place + 1)
    body = {**json.loads(source.body), "summary": "forged", "number": place}
    _write(Entry(chain=chain, number=place), source, body).save()
    return place


def _rewrite(chain: Chain, other: Chain, place: int, data: st.DataObject) -> int:
    """Every entry from `place` on rewritten with true hashes, but not the head."""
    _rewritten(chain, place)
    return LENGTH


def _rewritten(chain: Chain, place: int) -> str:
    prev_hash = chain.entries.get(number=place).prev_hash
    for entry in chain.entries.filter(number__gte=place).order_by("number"):
        body = {**json.loads(entry.body), "summary": "forged", "prev_hash": prev_hash}
        _write(entry, entry, body).save()
        prev_hash = entry.hash
    return prev_hash


def _write(entry: Entry, source: Entry, body: dict[str, Any]) -> Entry:
    for name in ("recorded_at", "action", "actor", "task_id", "object_type", "object_id"):
        setattr(entry, name, getattr(source, name))
    entry.body, entry.prev_hash = canonical_bytes(body).decode(), body["prev_hash"]
    entry.hash = entry_hash(entry.body.encode())
    return entry


def _head(chain: Chain, other: Chain, place: int, data: st.DataObject) -> int:
    """The head says something else than the last entry."""
    Chain.objects.filter(pk=chain.pk).update(head_hash=chain.entries.get(number=place).prev_hash)
    return LENGTH


def _short_head(chain: Chain, other: Chain, place: int, data: st.DataObject) -> int:
    """A head of an earlier moment: the entries after it are more than the chain says."""
    before = chain.entries.get(number=place)
    Chain.objects.filter(pk=chain.pk).update(head_number=place - 1, head_hash=before.prev_hash)
    return place


@pytest.mark.parametrize("place", [2, 20, LENGTH])
def test_an_inserted_entry_is_named_and_the_connection_goes_on(place: int) -> None:
    """Its place is found by the entry before it, which is read anew: not while the rows are being copied."""
    chain = make_chain(LENGTH)
    with triggers_off():
        _insert(chain, chain, place, None)  # type: ignore[arg-type]  # it draws nothing
    fault = found(chain)
    assert (fault.kind, fault.number) == ("inserted", place)


FORGERIES = {
    "swap": _swap,
    "cut tail": _cut_tail,
    "move here": _move_here,
    "insert": _insert,
    "rewrite": _rewrite,
    "head": _head,
    "short head": _short_head,
}


def test_what_a_chain_alone_cannot_show_a_checkpoint_does() -> None:
    chain = make_chain(LENGTH)
    with undone(), triggers_off():
        Chain.objects.filter(pk=chain.pk).update(head_hash=_rewritten(chain, 20))
        assert verify_all().is_intact
    make_checkpoint(reason="first")
    with undone(), triggers_off():
        Chain.objects.filter(pk=chain.pk).update(head_hash=_rewritten(chain, 20))
        fault = found(chain)
        assert (fault.kind, fault.number, fault.until) == ("rewritten", 1, LENGTH)


@pytest.mark.parametrize("body", ["", "null", "[]", "{", '"text"', "{}", "1e999", "[" * 100_000])
def test_a_body_that_is_no_body_is_altered_and_breaks_nothing(body: str) -> None:
    chain = make_chain(3)
    with triggers_off():
        chain.entries.filter(number=2).update(body=body, hash=entry_hash(body.encode()))
        assert found(chain).number == 2
