"""An auditor takes a verification report along: ordered, made by the worker, downloaded with a reason, and proved."""

import hashlib
import json
import time

from audit.models import Entry
from demo.client import Person
from demo.report import Report
from guardia.common.clock import local_day

_SECONDS = 60


def take_a_report(auditor: Person, report: Report) -> None:
    """Of today, on all institutions, as PDF."""
    report.scene("A report to take along")
    day = local_day().isoformat()
    order = {"kind": "VERIFICATION", "format": "pdf", "since": day, "until": day, "reason": "시연"}
    path = f"/api/v1/reports/{auditor.post('/api/v1/reports', **order).json()['report_id']}"
    made, ends = auditor.get(path).json(), time.monotonic() + _SECONDS
    while made["state"] in ("QUEUED", "RUNNING") and time.monotonic() < ends:
        time.sleep(0.3)
        made = auditor.get(path).json()
    report.check(
        f"a verification report is made in the background: {made['rows']} rows", made["state"] == "READY", made
    )
    answer = auditor.post(f"{path}/download", reason="")
    report.check("nobody takes it without a reason", answer.status_code == 400, answer.text)
    file = auditor.post(f"{path}/download", reason="시연").content
    digest = hashlib.sha256(file).hexdigest()
    report.check(
        f"the file is a PDF with the SHA-256 {digest[:12]}…", file[:5] == b"%PDF-" and digest == made["digest"]
    )
    entry = Entry.objects.get(chain__key=made["chain"], number=made["entry_number"])
    told = json.loads(entry.body)
    is_sealed = told["action"] == "report.made" and told["facts"]["file_sha256"] == digest
    report.check(f"which is entry {entry.number} of the chain “{made['chain']}”", is_sealed, entry.body)
