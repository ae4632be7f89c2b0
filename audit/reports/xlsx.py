"""A report as a workbook: a sheet with the facts and signatures, and one for each table. Written row by row."""

from typing import IO, Any

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from audit.reports.document import Column, Document, Table, Value
from audit.reports.text import cell_text

#: A sheet has 1,048,576 rows; what is more belongs to JSON Lines.
MOST_ROWS = 1_000_000
_HEAD = Font(bold=True)
_FILL = PatternFill("solid", start_color="FFE4ECE9")
_MARKED = PatternFill("solid", start_color="FFFDF1DC")
_WIDTH = 6.5  # characters for one share
_UNSHARED = 18
_FORBIDDEN = str.maketrans("[]:*?/\\", "_______")


def write_xlsx(document: Document, out: IO[bytes]) -> int:
    """Returns how many rows the last table has."""
    book = Workbook(write_only=True)
    cover = book.create_sheet(_sheet_name(document.title))
    cover.column_dimensions["A"].width, cover.column_dimensions["B"].width = 22, 90
    cover.append([_text(cover, document.title, _HEAD)])
    for _name, label, value in document.facts:
        cover.append([_text(cover, label, _HEAD), _text(cover, value)])
    for one in document.signatures:
        cover.append([])
        cover.append([_text(cover, one.title, _HEAD), _text(cover, one.name)])
        cover.append([_text(cover, _("Signed at"), _HEAD), _text(cover, one.at)])
        cover.append([_text(cover, _("Words"), _HEAD), _text(cover, one.words)])
    rows = 0
    for table in document.tables:
        rows = _write_table(book, table)
    book.save(out)
    return rows


def _write_table(book: Workbook, table: Table) -> int:
    sheet: Any = book.create_sheet(_sheet_name(table.title))
    sheet.freeze_panes = "A2"
    for number, column in enumerate(table.columns, 1):
        width = column.share * _WIDTH if column.share else _UNSHARED
        sheet.column_dimensions[get_column_letter(number)].width = max(9.0, width)
    head = [_text(sheet, column.title, _HEAD) for column in table.columns]
    for cell in head:
        cell.fill = _FILL
    sheet.append(head)
    rows = 0
    for row in table.rows:
        values = [_value(column, value) for column, value in zip(table.columns, row, strict=True)]
        sheet.append([_marked(sheet, value) for value in values] if table.marks(row) else values)
        rows += 1
    if not rows:
        sheet.append([_text(sheet, table.empty)])
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(table.columns))}{rows + 1}"
    return rows


def _value(column: Column, value: Value) -> str | int:
    """A number, or text that is none of the formulas it may look like. Bare values: a cell's own style would cost ten
    times as much as the cell."""
    return value if column.is_number and isinstance(value, int) else cell_text(column.show(value))


def _marked(sheet: Any, value: str | int) -> Any:
    cell = WriteOnlyCell(sheet, value)
    cell.fill = _MARKED
    return cell


def _text(sheet: Any, text: str, font: Font | None = None) -> Any:
    """A cell of the cover, or of a head."""
    cell = WriteOnlyCell(sheet, cell_text(text))
    cell.alignment = Alignment(vertical="top", wrap_text=True)
    if font is not None:
        cell.font = font
    return cell


def _sheet_name(title: str) -> str:
    return title.translate(_FORBIDDEN).strip("'")[:31]
