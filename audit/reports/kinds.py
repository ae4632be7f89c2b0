"""Which report is made by what, and written how."""

from collections.abc import Callable
from typing import IO, NamedTuple

from audit.choices import ReportFormat, ReportKind
from audit.models import Report
from audit.reports import pdf, xlsx
from audit.reports.access_review import access_review
from audit.reports.activity import activity
from audit.reports.document import Document, Progress
from audit.reports.jsonl import write_jsonl
from audit.reports.verification import verification

MAKERS: dict[str, Callable[[Report, Progress], Document]] = {
    ReportKind.VERIFICATION: verification,
    ReportKind.ACCESS_REVIEW: access_review,
    **dict.fromkeys((ReportKind.BY_USER, ReportKind.BY_TASK, ReportKind.BY_SYSTEM, ReportKind.BY_APPROVER), activity),
}


class Writer(NamedTuple):
    """`most`: more rows than that it isn't made for; None: any number."""

    write: Callable[[Document, IO[bytes]], int]
    most: int | None
    content_type: str


WRITERS: dict[str, Writer] = {
    ReportFormat.PDF: Writer(pdf.write_pdf, pdf.MOST_ROWS, "application/pdf"),
    ReportFormat.XLSX: Writer(
        xlsx.write_xlsx, xlsx.MOST_ROWS, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    ),
    ReportFormat.JSONL: Writer(write_jsonl, None, "application/jsonl"),
}
