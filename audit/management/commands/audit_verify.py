"""`manage.py audit_verify [--json] [--chain KEY]`: 0 when every chain is intact, else 1 and the first bad entry."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.models import Chain
from audit.verification import ChainReport, verify_all


class Command(BaseCommand):
    help = "Recompute the audit chains; exits 1 and names the first bad entry of each broken chain."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        parser.add_argument("--chain", help="verify this chain only (for example institution:MOEF)")

    def handle(self, *args: Any, **options: Any) -> None:
        chains = Chain.objects.filter(key=options["chain"]) if options["chain"] else None
        if chains is not None and not chains.exists():
            raise CommandError(f"there is no chain {options['chain']!r}", returncode=2)
        reports = verify_all(chains)
        intact = all(report.is_intact for report in reports)
        if options["json"]:
            document = {"intact": intact, "chains": [report.to_dict() for report in reports]}
            self.stdout.write(json.dumps(document, ensure_ascii=False, indent=2))
        else:
            for report in reports:
                self.stdout.write(_line(report))
        if not intact:
            sys.exit(1)


def _line(report: ChainReport) -> str:
    if report.fault is None:
        return f"intact  {report.chain}: {report.entries} entries, head {report.head_hash[:16]}"
    return f"BROKEN  {report.chain}: entry {report.fault.number} {report.fault.kind}: {report.fault.detail}"
