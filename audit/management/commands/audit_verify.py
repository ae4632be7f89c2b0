"""`manage.py audit_verify`: 0 when all is intact, 1 and each broken chain's first bad entry, 2 for a wrong call."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import get_default_timezone, is_naive, make_aware

from audit.chain import genesis
from audit.choices import Mode
from audit.merkle import Frontier
from audit.models import Chain, Entry
from audit.seal import CHECKPOINTS
from audit.services.verify import verify
from audit.stores.directory import DirectoryStore
from audit.verifying.one_chain import ChainReport, Reached
from audit.verifying.parts import HASH_BYTES


class Command(BaseCommand):
    help = "Recompute the audit chains and their checkpoints; exits 1 and names the first bad entry of each broken one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        parser.add_argument("--chain", help="verify this chain only (for example institution:MOEF)")
        parser.add_argument("--since", help="only entries after this number, or from this day or moment on")
        parser.add_argument("--against", type=Path, help="a directory of checkpoints that was kept elsewhere")
        parser.add_argument("--resume", action="store_true", help="go on where an interrupted verification stopped")
        parser.add_argument("--progress", action="store_true", help="tell on standard error how far it is")

    def handle(self, *args: Any, **options: Any) -> None:
        chains = Chain.objects.filter(key=options["chain"]) if options["chain"] else None
        if chains is not None and not chains.exists():
            raise CommandError(f"there is no chain {options['chain']!r}", returncode=2)
        if options["against"] and not options["against"].is_dir():
            raise CommandError(f"there is no directory {options['against']}", returncode=2)
        marks = _Marks(is_told=options["progress"], stderr=self.stderr)
        since = _since(options["since"]) if options["since"] else None
        if options["resume"]:
            since = marks.read()
        outcome = verify(
            mode=Mode.INCREMENTAL if since else Mode.FULL,
            actor="manage.py",
            chains=chains,
            against=DirectoryStore(options["against"]).lines() if options["against"] else None,
            progress=marks.note,
            since=since,
        )
        marks.forget()
        report = outcome.report
        if options["json"]:
            document = {
                "intact": report.is_intact,
                "checkpoints": report.checkpoints,
                "chains": [chain.to_dict() for chain in report.chains],
                "faults": outcome.verification.faults,
            }
            self.stdout.write(json.dumps(document, ensure_ascii=False, indent=2))
        else:
            for chain in report.chains:
                self.stdout.write(_line(chain))
            bad = next((fault for fault in report.faults if fault.chain == CHECKPOINTS), None)
            state = f"BROKEN  checkpoints: {bad.number} {bad.kind}: {bad.detail}" if bad else "intact  checkpoints:"
            self.stdout.write(state if bad else f"{state} {report.checkpoints}")
        if not report.is_intact:
            sys.exit(1)


class _Marks:
    """How far each chain is, in a file: what a killed verification leaves for `--resume`."""

    def __init__(self, *, is_told: bool, stderr: Any) -> None:
        self._path: Path = settings.GUARDIA_HOME / "verification.json"
        self._is_told, self._stderr, self._marks = is_told, stderr, dict[str, list[Any]]()

    def note(self, key: str, reached: Reached, entries: int) -> None:
        self._marks[key] = [reached.number, reached.hash, reached.frontier]
        draft = self._path.with_suffix(".part")
        draft.write_text(json.dumps(self._marks))
        draft.replace(self._path)
        if self._is_told:
            self._stderr.write(f"{key}: {reached.number} of {entries}")

    def read(self) -> dict[str, Reached]:
        if not self._path.exists():
            raise CommandError("no interrupted verification is known", returncode=2)
        try:
            self._marks = json.loads(self._path.read_text())
            return {key: _mark(*mark) for key, mark in self._marks.items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise CommandError(f"{self._path} is not what a verification wrote: {error}", returncode=2) from error

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)


def _mark(number: int, digest: str, roots: str | None) -> Reached:
    """Raises ValueError or TypeError for what can't be one."""
    if roots is not None:
        Frontier.from_text(number, roots)
    if len(bytes.fromhex(digest)) != HASH_BYTES:
        raise ValueError("a hash has 64 hex digits")
    return Reached(number, digest, roots)


def _since(text: str) -> dict[str, Reached]:
    """Chain → the entry after which verification begins."""
    if text.isdecimal():
        before = Entry.objects.filter(number__lte=int(text))
    else:
        day = parse_date(text)
        moment = parse_datetime(text) if day is None else datetime(day.year, day.month, day.day)
        if moment is None:
            raise CommandError("--since takes a number, a day (2026-11-21) or a moment", returncode=2)
        moment = make_aware(moment, get_default_timezone()) if is_naive(moment) else moment
        before = Entry.objects.filter(recorded_at__lt=moment)
    last = before.order_by("chain_id", "-number").distinct("chain_id").values_list("chain__key", "number", "hash")
    found = {key: Reached(number, digest) for key, number, digest in last}
    keys = Chain.objects.exclude(key__in=found).values_list("key", flat=True)
    return {**found, **{key: Reached(0, genesis(key), "") for key in keys}}


def _line(report: ChainReport) -> str:
    if report.fault is None:
        return f"intact  {report.chain}: {report.entries} entries, head {report.head_hash[:16]}"
    fault = report.fault
    doubt = f" (in doubt up to {fault.until})" if fault.until > fault.number else ""
    return f"BROKEN  {report.chain}: entry {fault.number} {fault.kind}: {fault.detail}{doubt}"
