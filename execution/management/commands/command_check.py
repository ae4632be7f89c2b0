"""`manage.py command_check`: judge commands, from standard input or one given by hand."""

import json
import sys
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from execution.command_check.check import check_command
from execution.command_check.text import MAX_BYTES
from execution.command_check.verdict import Judgement, Verdict
from execution.reason_words import reason_label
from guardia.common.text import printable

#: Six characters of JSON for each of the command, and as much again for other fields.
_LONGEST_LINE = 12 * MAX_BYTES
_WORDS = {
    Verdict.ALLOW: gettext_lazy("Allowed"),
    Verdict.ESCALATE: gettext_lazy("Needs a security officer"),
    Verdict.BLOCK: gettext_lazy("Blocked"),
}


class Command(BaseCommand):
    help = "Judge commands: JSON Lines with kind and command on standard input (--jsonl), or one given by hand."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--jsonl", action="store_true", help="read lines with kind and command, add verdict and reason"
        )
        parser.add_argument("--kind", default="shell", help="shell or sql (default: shell)")
        parser.add_argument("--command", dest="line", help="the command to judge")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["jsonl"]:
            if not self._stream(sys.stdin.buffer):
                sys.exit(1)
        elif options["line"] is not None:
            judgement = check_command(options["kind"], options["line"])
            self.stdout.write(f"{_WORDS[judgement.verdict]}: {printable(reason_label(judgement.reason))}")
            if judgement.verdict is Verdict.BLOCK:
                sys.exit(1)
        else:
            raise CommandError(_("Give --jsonl, or --command."))

    def _stream(self, lines: BinaryIO) -> bool:
        """One line out for each line in, as soon as it is judged. False where one couldn't be read."""
        is_good = True
        while raw := lines.readline(_LONGEST_LINE):
            while not raw.endswith(b"\n") and (rest := lines.readline(_LONGEST_LINE)):
                raw = raw[:_LONGEST_LINE] + b"\0" + (b"\n" if rest.endswith(b"\n") else b"")
            if not raw.strip():
                continue
            row, judgement = judge_line(raw)
            is_good = is_good and row is not None
            answer = {**(row or {}), "verdict": judgement.verdict.word, "reason": judgement.reason}
            self.stdout.write(json.dumps(answer))
            self.stdout.flush()
        return is_good


def judge_line(raw: bytes) -> tuple[dict[str, Any] | None, Judgement]:
    """The line's fields and the judgement on its command; no fields where it can't be read."""
    try:
        row = json.loads(raw)
        kind, command = row["kind"], row["command"]
        if not isinstance(kind, str) or not isinstance(command, str):
            raise TypeError
    except (ValueError, TypeError, KeyError, RecursionError):
        return None, Judgement(Verdict.BLOCK, "not a line with kind and command, so nobody knows what it would run")
    return row, check_command(kind, command)
