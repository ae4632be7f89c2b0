"""Each format holds what it was given, whatever that is, and is what people and programs can open."""

import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from audit.choices import ReportFormat, ReportKind
from audit.reports import pdf
from audit.reports.document import Column, Document, Row, Signature, Table, local_moment
from audit.reports.jsonl import write_jsonl
from audit.reports.text import cell_text
from audit.reports.xlsx import write_xlsx
from tests.audit.reports.month import October, content_of, made

HOSTILE = {
    "NUL": "a\x00b",
    "controls": "\x1b[31mred\x07\x08\x0b\x0c",
    "lone surrogate": "a\ud800b",
    "bidi": "invoice\u202egpj.exe",
    "lines": "one\ntwo\r\nthree\u2028four\u2029five\u0085six",
    "markup": "<b>&amp;</b><!--]]>",
    "very long": "가나다 " * 20_000,
    "no blank": "x" * 5_000,
    "emoji and rare letters": "👩‍🚒 쀍 믜 龘 \U0001f1f0 ﷽",
    "escape": "_x000D_ \\ \" '",
    "not a character": "a\ufffeb\uffff",
}
FORMULAS = (
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://x")', "＝1+1", " =1", "＠a"),
    *("\x00=1", "\u202e=1", "\ufeff=cmd|' /C calc'!A0"),
)


def document(rows: list[Row], signatures: list[Signature] | None = None, **more: Any) -> Document:
    columns = [
        Column("number", "번호", 1, is_number=True),
        Column("text", "내용", 5),
        Column("at", "시각", 2, local_moment),
        Column("hidden", "숨은 값", 0),
    ]
    tables = [Table("entry", "기록", columns, iter(rows), "없음", **more)]
    return Document("TEST", "시험 보고서", len(rows), [("report", "보고서", "#7")], tables, signatures or [])


def written(write: Callable[[Document, IO[bytes]], int], made: Document) -> bytes:
    out = BytesIO()
    write(made, out)
    return out.getvalue()


def pages_of(content: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(content)).pages]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_breaks_no_writer(name: str) -> None:
    rows: list[Row] = [(1, HOSTILE[name], HOSTILE[name], HOSTILE[name]), (2, "끝", "", "")]
    signed = [Signature(HOSTILE[name], HOSTILE[name], HOSTILE[name], HOSTILE[name])]
    assert "끝" in "".join(pages_of(written(pdf.write_pdf, document(rows, signed))))
    sheet = load_workbook(BytesIO(written(write_xlsx, document(rows, signed)))).worksheets[1]
    assert [cell.value for cell in sheet[3]][:2] == [2, "끝"]
    text = written(write_jsonl, document(rows, signed)).decode()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["type"] for line in lines] == ["report", "entry", "entry", "signature", "end"]
    assert lines[1]["text"] == HOSTILE[name].encode("utf-8", "replace").decode()


def test_a_spreadsheet_computes_nothing_of_what_somebody_wrote() -> None:
    rows: list[Row] = [(number, text, text, text) for number, text in enumerate(FORMULAS, 1)]
    book = load_workbook(BytesIO(written(write_xlsx, document(rows, [Signature("=1", "=1", "=1", "=1")]))))
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in ("s", "n"), (cell.coordinate, cell.value)
                if isinstance(cell.value, str):
                    assert not cell.value.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")), cell.value
    assert book.worksheets[1]["B2"].value == "'=1+1"
    assert cell_text("OPS-20261012-001") == "OPS-20261012-001" and cell_text("") == ""


def test_a_workbook_can_be_filtered_and_numbers_are_numbers() -> None:
    rows: list[Row] = [(12_345, "가", "2026-10-01T00:00:00.000000Z", "x"), (None, "나", "", None)]
    book = load_workbook(BytesIO(written(write_xlsx, document(rows))))
    sheet = book["기록"]
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["번호", "내용", "시각", "숨은 값"],
        [12_345, "가", "2026-10-01 09:00:00", "x"],
        [None, "나", None, None],
    ]
    assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref == "A1:D3"
    assert book.worksheets[0]["A1"].value == "시험 보고서" and book.worksheets[0]["B2"].value == "#7"
    empty = load_workbook(BytesIO(written(write_xlsx, document([]))))["기록"]
    assert empty["A2"].value == "없음"


def test_a_pdf_has_its_letters_in_it_and_its_head_on_every_page() -> None:
    rows: list[Row] = [(number, f"값 {number}", "2026-10-01T00:00:00.000000Z", "숨김") for number in range(1, 201)]
    content = written(pdf.write_pdf, document(rows, [Signature("점검자", "문감사"), Signature("확인자")]))
    reader, pages = PdfReader(BytesIO(content)), pages_of(content)
    assert 5 < len(pages) < 15
    for number, page in enumerate(pages, 1):
        assert "시험 보고서" in page and f"{number} / " in page, number
        if number < len(pages):
            assert "내용" in page and "번호" in page, number
    assert [f"값 {number}" for number in range(1, 201) if f"값 {number}" not in "\n".join(pages)] == []
    assert "숨김" not in "".join(pages) and "2026-10-01 09:00:00" in pages[0]
    assert "점검자" in pages[-1] and "문감사" in pages[-1] and "확인자" in pages[-1]
    fonts = {
        font["/BaseFont"]: font
        for page in reader.pages
        for font in (value.get_object() for value in page["/Resources"]["/Font"].values())  # type: ignore[index]
    }
    assert {name.partition("+")[2] for name in fonts} == {"NanumSquareR", "NanumSquareB"}, "nothing but our letters"
    for font in fonts.values():
        assert "/FontFile2" in font["/FontDescriptor"].get_object() and "/ToUnicode" in font
    assert len(content) < 200_000, "a subset, not the whole font"


def test_a_mark_and_an_empty_table_are_drawn() -> None:
    plain = written(pdf.write_pdf, document([(1, "가", "", "")]))
    marked = written(pdf.write_pdf, document([(1, "가", "", "")], marks=lambda row: True))
    assert len(marked) > len(plain)
    assert "없음" in pages_of(written(pdf.write_pdf, document([])))[0]


@pytest.mark.parametrize(
    ("text", "most", "lines"),
    [
        ("", 5, [""]),
        ("가나다라 마바사", 5, ["가나다라", "마바사"]),
        ("가나다라마바사아자차", 5, ["가나다라", "마바사아", "자차"]),
        ("a\n\nb", 5, ["a", "", "b"]),
        ("가나다라 마바사아 자차카타", 2, ["가나다라", "마바사…"]),
    ],
)
def test_words_are_wrapped_at_blanks_and_cut_with_a_sign(text: str, most: int, lines: list[str]) -> None:
    room = pdf.width_of("가나다라", "NanumSquareR", 10) + 0.1
    assert pdf.wrap(text, room, "NanumSquareR", 10, most) == lines


@pytest.mark.django_db
def test_a_real_report_can_be_read_back_from_its_pdf_in_korean() -> None:
    october = October()
    report = made(october.auditor, ReportKind.VERIFICATION, ReportFormat.PDF, institution=october.institution)
    text = "\n".join(pages_of(content_of(report)))
    for words in (
        "무결성 검증 보고서",
        "기획재정부",
        "모든 체인 정상",
        "결재 승인",
        "단계 실패 (7)",
        "OPS-20261012-001",
        "정상",
    ):
        assert words in text, words


def peak_of(write: Callable[[Document, IO[bytes]], int], count: int, path: Path) -> int:
    """The most memory that writing so many rows takes, in bytes."""
    rows = ((number, f"값 {number}", "2026-10-01T00:00:00.000000Z", "a" * 64) for number in range(count))
    made = document([])
    made = replace(made, rows=count, tables=[replace(made.tables[0], rows=rows)])
    tracemalloc.start()
    try:
        with path.open("w+b") as out:
            assert write(made, out) == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("count", [4_000, pytest.param(100_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("write", [write_xlsx, write_jsonl])
def test_memory_does_not_grow_with_the_rows(
    write: Callable[[Document, IO[bytes]], int], count: int, tmp_path: Path
) -> None:
    few = peak_of(write, count // 20, tmp_path / "few")
    assert peak_of(write, count, tmp_path / "many") < few + 2_000_000


@pytest.mark.slow
def test_the_longest_pdf_stays_within_bounds(tmp_path: Path) -> None:
    assert peak_of(pdf.write_pdf, pdf.MOST_ROWS, tmp_path / "long") < 100_000_000
