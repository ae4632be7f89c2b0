import base64
from typing import IO

from django.http import FileResponse

from audit.models import Report
from audit.reports.kinds import WRITERS


def file_answer(report: Report, file: IO[bytes]) -> FileResponse:
    """A report's file as a download, with its digest in a header; closes the file when it is sent."""
    name = f"guardia-report-{report.pk}-{report.kind.lower()}-{report.since}.{report.format}"
    content_type = WRITERS[report.format].content_type
    answer = FileResponse(file, as_attachment=True, filename=name, content_type=content_type)
    answer["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(report.digest)).decode()}:"  # RFC 9530
    answer["Cache-Control"] = "no-store"
    return answer
