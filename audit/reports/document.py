"""Every report as data: what stands on top, its tables as streams of rows, and who signed it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from django.utils import timezone

#: What a cell may hold: the value itself, for programs. Moments are `guardia.common.canonical.moment_text`'s.
Value = str | int | None
Row = Sequence[Value]


def as_it_is(value: Value) -> str:
    return "" if value is None else str(value)


def local_moment(value: Value) -> str:
    """A canonical moment on the clock of the users; what is none is shown as it stands."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return as_it_is(value)
    if moment.tzinfo is None:
        return as_it_is(value)
    return timezone.localtime(moment, timezone.get_default_timezone()).strftime("%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True, slots=True)
class Column:
    """`name` for programs, `title` and `show` for people; `share` of the width on paper, 0: not on paper."""

    name: str
    title: str
    share: float
    show: Callable[[Value], str] = as_it_is
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """`name` for programs. `rows` is read once, from the first to the last; `marks` says which stand out on paper."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Iterable[Row]
    empty: str
    marks: Callable[[Row], bool] = lambda row: False


@dataclass(frozen=True, slots=True)
class Signature:
    """A place to sign: filled where somebody has, else for the pen."""

    title: str
    name: str = ""
    at: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A report before it is written. `rows`: how many the last table will have, or nearly. `facts`: (name for programs,
    label, value)."""

    kind: str
    title: str
    rows: int
    facts: Sequence[tuple[str, str, str]]
    tables: Sequence[Table]
    signatures: Sequence[Signature] = field(default_factory=list)


class Progress(Protocol):
    """Told as rows are worked on."""

    def expect(self, rows: int) -> None:
        """That many more are to do."""

    def step(self, rows: int = 1) -> None:
        """That many more are done."""
