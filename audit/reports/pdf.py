"""A report as a PDF: A4 across, the table's head on every page, Korean letters embedded. Drawn page by page."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import IO

from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from audit.reports.document import Column, Document, Row, Signature, Table
from audit.reports.text import shown

#: More than some 600 pages nobody reads, and nobody should print.
MOST_ROWS = 20_000
_WIDTH, _HEIGHT = landscape(A4)
_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, _WIDTH - 34, _HEIGHT - 34, 40.0
_SIZE, _LEADING, _PAD = 7.0, 9.6, 3.6
_MOST_LINES = 12
_INK, _SOFT, _LINE = HexColor(0x10211D), HexColor(0x55665F), HexColor(0xC9D3CF)
_HEAD_FILL, _MARK_FILL = HexColor(0xE4ECE9), HexColor(0xFDF1DC)
_REGULAR, _BOLD = "NanumSquareR", "NanumSquareB"
_MISSING = "□"


@cache
def _font(name: str) -> TTFont:
    font = TTFont(name, str(Path(__file__).parent / "fonts" / f"{name}.ttf"))
    pdfmetrics.registerFont(font)
    return font


def fit(text: str, name: str) -> str:
    """What the font can draw; a box for the rest."""
    known = _font(name).face.charToGlyph
    return "".join(char if ord(char) in known else _MISSING for char in text)


def width_of(text: str, name: str, size: float) -> float:
    face = _font(name).face
    return float(sum(face.charWidths.get(ord(char), face.defaultWidth) for char in text)) * size / 1000


def wrap(text: str, room: float, name: str, size: float, most: int = _MOST_LINES) -> list[str]:
    """Lines no wider than `room`, broken at blanks where there are some; the last of too many ends with “…”."""
    lines: list[str] = []
    for part in shown(text).replace("\t", " ").split("\n"):
        lines += _wrapped(fit(part, name), room, name, size, most + 1 - len(lines))
        if len(lines) > most:
            return [*lines[: most - 1], _shortened(lines[most - 1], room, name, size)]
    return lines or [""]


def _wrapped(text: str, room: float, name: str, size: float, most: int) -> list[str]:
    face = _font(name).face
    widths, unit = face.charWidths, size / 1000
    lines: list[str] = []
    start, blank, used, at = 0, -1, 0.0, 0
    while at < len(text) and len(lines) < most:
        step = widths.get(ord(text[at]), face.defaultWidth) * unit
        if used + step > room and at > start:
            end = at if text[at] == " " or blank <= start else blank
            lines.append(text[start:end])
            start = end + 1 if text[end] == " " else end
            at, used, blank = start, 0.0, -1
            continue
        if text[at] == " ":
            blank = at
        used += step
        at += 1
    return [*lines, text[start:]] if len(lines) < most else lines


def _shortened(line: str, room: float, name: str, size: float) -> str:
    while line and width_of(f"{line}…", name, size) > room:
        line = line[:-1]
    return f"{line}…"


def write_pdf(document: Document, out: IO[bytes]) -> int:
    """Returns how many rows the last table has."""
    _font(_REGULAR), _font(_BOLD)
    pages = _Pages(document, out)
    rows = 0
    for table in document.tables:
        rows = pages.table(table)
    pages.signatures(document.signatures)
    pages.close()
    return rows


class _Pages:
    """The paper: where the pen is, and what stands on every page."""

    def __init__(self, document: Document, out: IO[bytes]) -> None:
        self._canvas = Canvas(out, pagesize=landscape(A4), pageCompression=1, initialFontName=_REGULAR)
        self._canvas.setTitle(shown(document.title))
        self._canvas.setAuthor("Guardia")
        self._canvas.setSubject(" · ".join(f"{label}: {shown(value)}" for _name, label, value in document.facts))
        self._document = document
        self._number = 1
        self._y = _TOP
        self._cover()

    def close(self) -> None:
        self._foot()
        self._canvas.showPage()
        self._canvas.beginForm("pages", 0, 0, 60, 12)
        self._write(0, 2, str(self._number), size=_SIZE, colour=_SOFT)
        self._canvas.endForm()
        self._canvas.save()

    # -- pages -----------------------------------------------------------------------------------------------

    def _cover(self) -> None:
        self._write(_LEFT, _TOP - 16, self._document.title, _BOLD, 18)
        self._write(_RIGHT - width_of("Guardia", _BOLD, 10), _TOP - 12, "Guardia", _BOLD, 10, _SOFT)
        self._y = _TOP - 34
        label_room, column = 78.0, (_RIGHT - _LEFT) / 2
        facts = list(self._document.facts)
        for start in range(0, len(facts), 2):
            pair = [
                wrap(value, column - label_room - 12, _REGULAR, 8.5, 4) for _n, _l, value in facts[start : start + 2]
            ]
            for side, lines in enumerate(pair):
                left = _LEFT + side * column
                self._write(left, self._y - 9, facts[start + side][1], _BOLD, 8.5, _SOFT)
                for line_number, line in enumerate(lines):
                    self._write(left + label_room, self._y - 9 - line_number * 11.5, line, size=8.5)
            self._y -= 11.5 * max(len(lines) for lines in pair) + 3
        self._y -= 8

    def _foot(self) -> None:
        left = next((value for name, _label, value in self._document.facts if name == "report"), "")
        self._canvas.setStrokeColor(_LINE)
        self._canvas.line(_LEFT, _BOTTOM - 8, _RIGHT, _BOTTOM - 8)
        self._write(_LEFT, _BOTTOM - 19, f"{self._document.title}  {left}", size=_SIZE, colour=_SOFT)
        number = f"{self._number} / "
        room = width_of("0000", _REGULAR, _SIZE)
        self._write(_RIGHT - room - width_of(number, _REGULAR, _SIZE), _BOTTOM - 19, number, size=_SIZE, colour=_SOFT)
        self._canvas.saveState()
        self._canvas.translate(_RIGHT - room, _BOTTOM - 21)
        self._canvas.doForm("pages")
        self._canvas.restoreState()

    def _turn(self) -> None:
        self._foot()
        self._canvas.showPage()
        self._number += 1
        self._y = _TOP

    # -- tables ----------------------------------------------------------------------------------------------

    def table(self, table: Table) -> int:
        columns = [(place, column) for place, column in enumerate(table.columns) if column.share]
        rooms = self._rooms([column for _place, column in columns])
        if self._y - 70 < _BOTTOM:
            self._turn()
        self._write(_LEFT, self._y - 11, table.title, _BOLD, 10.5)
        self._y -= 19
        heads = [
            wrap(column.title, room - 2 * _PAD, _BOLD, _SIZE) for (_p, column), room in zip(columns, rooms, strict=True)
        ]
        numbers = [column.is_number for _place, column in columns]
        self._head(heads, rooms, numbers)
        count = 0
        for row in table.rows:
            self._row(row, columns, rooms, heads, table.marks(row))
            count += 1
        if not count:
            self._write(_LEFT + _PAD, self._y - 11, table.empty, size=8, colour=_SOFT)
            self._y -= 18
        self._y -= 14
        return count

    @staticmethod
    def _rooms(columns: Sequence[Column]) -> list[float]:
        total = sum(column.share for column in columns)
        return [(_RIGHT - _LEFT) * column.share / total for column in columns]

    def _head(self, heads: Sequence[Sequence[str]], rooms: Sequence[float], numbers: Sequence[bool]) -> None:
        height = max(len(lines) for lines in heads) * _LEADING + 2 * _PAD
        self._fill(height, _HEAD_FILL)
        self._cells(heads, rooms, numbers, _BOLD)
        self._rule(height)

    def _row(
        self,
        row: Row,
        columns: Sequence[tuple[int, Column]],
        rooms: Sequence[float],
        heads: Sequence[Sequence[str]],
        is_marked: bool,
    ) -> None:
        cells = [
            wrap(column.show(row[place]), room - 2 * _PAD, _REGULAR, _SIZE)
            for (place, column), room in zip(columns, rooms, strict=True)
        ]
        numbers = [column.is_number for _place, column in columns]
        height = max(len(lines) for lines in cells) * _LEADING + 2 * _PAD
        if self._y - height < _BOTTOM:
            self._turn()
            self._head(heads, rooms, numbers)
        if is_marked:
            self._fill(height, _MARK_FILL)
        self._cells(cells, rooms, numbers, _REGULAR)
        self._rule(height)

    def _cells(
        self, cells: Sequence[Sequence[str]], rooms: Sequence[float], numbers: Sequence[bool], name: str
    ) -> None:
        left = _LEFT
        for lines, room, is_number in zip(cells, rooms, numbers, strict=True):
            for place, line in enumerate(lines):
                at = left + room - _PAD - width_of(line, name, _SIZE) if is_number else left + _PAD
                self._write(at, self._y - _PAD - _SIZE - place * _LEADING, line, name, _SIZE, _INK)
            left += room

    def _fill(self, height: float, colour: Color) -> None:
        self._canvas.setFillColor(colour)
        self._canvas.rect(_LEFT, self._y - height, _RIGHT - _LEFT, height - 0.4, stroke=0, fill=1)

    def _rule(self, height: float) -> None:
        self._y -= height
        self._canvas.setStrokeColor(_LINE)
        self._canvas.setLineWidth(0.4)
        self._canvas.line(_LEFT, self._y, _RIGHT, self._y)

    # -- signing ---------------------------------------------------------------------------------------------

    def signatures(self, signatures: Sequence[Signature]) -> None:
        """Boxes side by side that stay together on one page."""
        if not signatures:
            return
        room = (_RIGHT - _LEFT - 12 * (len(signatures) - 1)) / len(signatures)
        words = [wrap(one.words, room - 20, _REGULAR, 8.5, 8) for one in signatures]
        height = 62 + 11.5 * max(len(lines) for lines in words)
        if self._y - height < _BOTTOM:
            self._turn()
        for place, (one, lines) in enumerate(zip(signatures, words, strict=True)):
            left = _LEFT + place * (room + 12)
            self._canvas.setStrokeColor(_SOFT)
            self._canvas.setLineWidth(0.8)
            self._canvas.rect(left, self._y - height, room, height)
            self._write(left + 10, self._y - 16, one.title, _BOLD, 9)
            sign = _("(signature)")
            at = left + room - 10 - width_of(fit(sign, _REGULAR), _REGULAR, 8)
            self._write(at, self._y - 16, sign, size=8, colour=_SOFT)
            for below, label, value in ((33, _("Name"), one.name), (46, pgettext("signature", "Date"), one.at)):
                self._write(left + 10, self._y - below, f"{label}: {value}", size=8.5)
            for number, line in enumerate(lines):
                self._write(left + 10, self._y - 61 - number * 11.5, line, size=8.5)
        self._y -= height + 10

    def _write(
        self, left: float, low: float, text: str, name: str = _REGULAR, size: float = _SIZE, colour: Color = _INK
    ) -> None:
        self._canvas.setFillColor(colour)
        self._canvas.setFont(name, size)
        self._canvas.drawString(left, low, fit(shown(text), name))
