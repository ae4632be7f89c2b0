"""The product and `tools/verify_audit.py` share no code, and say the same of every forgery: which entry, and what."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from guardia.common.signing import new_key
from tests.audit.paper_chain import KEY, Book, Window, changed, entry, relinked, resealed

LENGTH = 10_000
COLUMNS = [
    "number",
    "prev_hash",
    "hash",
    "recorded_at",
    "action",
    "actor",
    "task_id",
    "object_type",
    "object_id",
    "body",
]


@pytest.fixture(scope="module")
def long_book() -> Book:
    return Book.made(LENGTH, [])


def both(book: Book) -> list[Any]:
    ours, theirs = book.said_by_product(), book.said_by_tool()
    assert ours == theirs
    return ours


def test_what_is_intact_is_intact_for_both() -> None:
    assert both(Book.made(300, [1, 100, 300])) == [None, None]
    assert both(Book.made(300, [])) == [None, None]
    assert both(Book.made(0, [])) == [None, None]


def around(book: Book, place: int, edit: Callable[[list[dict[str, Any]], int], None], ends: int = 3) -> list[Any]:
    """`edit` done to a chain that ends a few entries after `place`; what would follow changes nothing."""
    short = Book(book.entries[: place + ends], first_key=book.first_key)
    short.fit_head()
    short.entries = list(short.entries)
    edit(short.entries, place - 1)
    return both(short)


def mutation(column: str, seed: int) -> Callable[[list[dict[str, Any]], int], None]:
    def edit(entries: list[dict[str, Any]], at: int) -> None:
        entries[at] = {**entries[at], column: changed(entries[at][column], Random(seed))}

    return edit


def delete(entries: list[dict[str, Any]], at: int) -> None:
    del entries[at]


def moved(entries: list[dict[str, Any]], start: int, by: int) -> None:
    for at in range(start, len(entries)):
        entries[at] = {**entries[at], "number": entries[at]["number"] + by}


def delete_and_renumber(entries: list[dict[str, Any]], at: int) -> None:
    del entries[at]
    moved(entries, at, -1)


def insert(entries: list[dict[str, Any]], at: int) -> None:
    entries.insert(at, entry(entries[at]["number"], entries[at]["prev_hash"], summary="forged"))
    moved(entries, at + 1, 1)


def double(entries: list[dict[str, Any]], at: int) -> None:
    entries.insert(at + 1, {**entries[at], "actor": "forged"})


def swap(entries: list[dict[str, Any]], at: int) -> None:
    one, two = entries[at], entries[at + 1]
    entries[at], entries[at + 1] = {**two, "number": one["number"]}, {**one, "number": two["number"]}


def rehash(entries: list[dict[str, Any]], at: int) -> None:
    entries[at] = resealed(entries[at], summary="forged")


EDITS: dict[str, tuple[Callable[[list[dict[str, Any]], int], None], str]] = {
    **{f"{name} is changed": (mutation(name, 7), "altered") for name in COLUMNS if name != "number"},
    "number is changed": (mutation("number", 7), "reordered"),
    "deleted": (delete, "deleted"),
    "deleted, the rest moved up": (delete_and_renumber, "deleted"),
    "inserted": (insert, "inserted"),
    "there twice": (double, "inserted"),
    "swapped with the next": (swap, "reordered"),
    "rewritten with its own hash": (rehash, "altered"),
}
PLACES = sorted({1, 2, 3, LENGTH - 4, *Random(5).sample(range(1, LENGTH - 4), 4)})


@pytest.mark.parametrize("name", EDITS)
def test_each_kind_of_tampering_is_named_at_its_place(long_book: Book, name: str) -> None:
    edit, kind = EDITS[name]
    for place in PLACES:
        assert around(long_book, place, edit) == [None, (KEY, place, kind)], place


@pytest.mark.slow
@pytest.mark.parametrize("name", EDITS)
def test_each_kind_at_every_place_of_ten_thousand(long_book: Book, name: str) -> None:
    """Both go on from the sound entries before the place, as they would have come there."""
    edit, kind = EDITS[name]
    hashes = b"".join(bytes.fromhex(one["hash"]) for one in long_book.entries)
    for place in range(1, LENGTH - 3):
        window = Window(long_book.entries, hashes, start=max(0, place - 3), end=place + 3)
        edit(window.entries, place - 1 - window.start)
        assert window.said_by_product() == window.said_by_tool() == (KEY, place, kind), place


def test_a_cut_tail_is_named_by_the_head_or_by_a_checkpoint(long_book: Book) -> None:
    for left in (0, 1, 5, 20):
        book = Book.made(30, [10, 25])
        book.entries = book.entries[:left]
        assert both(book) == [None, (KEY, left + 1, "cut_tail")]
        book.fit_head()  # the forger fits the head
        assert both(book) == [None, (KEY, left + 1, "cut_tail")]
    short = Book(long_book.entries[:-1], head=long_book.head)
    assert both(short) == [None, (KEY, LENGTH, "cut_tail")]


def test_a_rewritten_chain_is_found_between_the_checkpoints_that_vouch_for_it() -> None:
    for at, first in ((5, 1), (15, 11), (24, 11)):
        book = Book.made(30, [10, 25])
        book.entries[at] = resealed(book.entries[at], actor="nobody")
        relinked(book.entries, at)
        book.fit_head()
        assert both(book) == [None, (KEY, first, "rewritten")]
    book = Book.made(30, [10, 25])
    relinked(book.entries, 27)
    assert both(book) == [None, None], "entries that no checkpoint has seen yet can be rewritten: the open window"


def test_an_old_back_up_is_found() -> None:
    """Everything in the database is of yesterday, and agrees; the checkpoints outside are of today."""
    today = Book.made(60, [20, 40, 60])
    yesterday = Book(today.entries[:40], today.checkpoints, promised=3, first_key=today.first_key)
    yesterday.fit_head()
    assert both(yesterday) == [None, (KEY, 41, "cut_tail")]


def forget_the_one_before(book: Book) -> None:
    first, second, _third = book.checkpoints
    book.checkpoints = [first]
    book.seal(60, number=3)
    book.checkpoints.insert(1, second)


CHECKPOINT_FORGERIES: dict[str, tuple[Callable[[Book], None], tuple[str, int, str]]] = {
    "signed by another key": (
        lambda book: (book.checkpoints.pop(), book.seal(60, new_key()))[1],
        ("checkpoints", 3, "bad_signature"),
    ),
    "removed in the middle": (lambda book: book.checkpoints.pop(1) and None, ("checkpoints", 2, "missing_checkpoint")),
    "removed at the end": (lambda book: book.checkpoints.pop() and None, ("checkpoints", 3, "missing_checkpoint")),
    "all removed": (lambda book: book.checkpoints.clear(), ("checkpoints", 1, "missing_checkpoint")),
    "in another order": (
        lambda book: book.checkpoints.insert(1, book.checkpoints.pop()),
        ("checkpoints", 2, "reordered"),
    ),
    "there twice": (lambda book: book.checkpoints.insert(1, book.checkpoints[0]), ("checkpoints", 1, "inserted")),
    "cut in the middle of the line": (
        lambda book: book.checkpoints.append(book.checkpoints.pop()[:-40]),
        ("checkpoints", 3, "altered"),
    ),
    "another length": (
        lambda book: book.checkpoints.append(book.checkpoints.pop().replace(f'"{KEY}",60', f'"{KEY}",59')),
        ("checkpoints", 3, "altered"),
    ),
    "another moment": (
        lambda book: book.checkpoints.append(book.checkpoints.pop().replace("T05:00", "T06:00")),
        ("checkpoints", 3, "bad_signature"),
    ),
    "our key, fewer entries": (
        lambda book: (book.checkpoints.pop(), book.seal(39))[1],
        ("checkpoints", 3, "rewritten"),
    ),
    "our key, not after the one before": (forget_the_one_before, ("checkpoints", 3, "rewritten")),
}


@pytest.mark.parametrize("name", CHECKPOINT_FORGERIES)
def test_forged_checkpoints_are_named(name: str) -> None:
    forge, expected = CHECKPOINT_FORGERIES[name]
    book = Book.made(60, [20, 40, 60])
    forge(book)
    assert both(book)[0] == expected


def random_forgery(dice: Random, book: Book) -> str:
    """One to three acts of somebody with the database in their hands, who may fit the hashes and the head besides."""
    done = []
    for _ in range(dice.choice([1, 1, 2, 3])):
        name = dice.choice([*EDITS, "cut", "rewrite", "other key", "drop checkpoint", "truncate checkpoint"])
        at = dice.randrange(max(1, len(book.entries) - 2))
        if name in EDITS and len(book.entries) > at + 2:
            EDITS[name][0](book.entries, at)
        elif name == "cut":
            del book.entries[at:]
        elif name == "rewrite" and len({one["number"] for one in book.entries}) == len(book.entries) > at:
            book.entries[at] = resealed(book.entries[at], summary="forged") if is_whole(book, at) else book.entries[at]
            if all(is_whole(book, later) for later in range(at, len(book.entries))):
                relinked(book.entries, at)
        elif name == "other key" and book.entries:
            book.checkpoints[-1:] = []
            book.seal(len(book.entries), new_key())
        elif name == "drop checkpoint" and book.checkpoints:
            book.checkpoints.pop(dice.randrange(len(book.checkpoints)))
        elif name == "truncate checkpoint" and book.checkpoints:
            book.checkpoints[-1] = book.checkpoints[-1][: dice.randrange(len(book.checkpoints[-1]))]
        done.append(f"{name}@{at + 1}")
        if dice.random() < 0.5:
            book.fit_head()
    return ", ".join(done)


def is_whole(book: Book, at: int) -> bool:
    try:
        resealed(book.entries[at])
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("seed", range(10))
def test_a_thousand_random_forgeries_are_seen_alike_by_both(seed: int) -> None:
    dice, original = Random(seed), Book.made(40, [10, 25, 40])
    for number in range(100):
        book = original.copy()
        done = random_forgery(dice, book)
        said = both(book)
        if book.entries != original.entries or book.checkpoints != original.checkpoints or book.head != original.head:
            assert said != [None, None], (seed, number, done)
