"""`manage.py audit_restore --from EXPORT [--dry-run | --reason TEXT]`: compare with an export, put back."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.choices import Mode
from audit.services.restore import restore
from audit.services.verify import verify
from guardia.common.errors import GuardiaError


class Command(BaseCommand):
    help = "Compare the chains with an export; without --dry-run, put back the sealed entries that differ, and verify."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="source", type=Path, required=True)
        parser.add_argument("--dry-run", action="store_true")
        parser.add_argument("--reason", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = restore(
                actor="manage.py", path=options["source"], reason=options["reason"], dry_run=options["dry_run"]
            )
        except (GuardiaError, OSError, ValueError, KeyError) as refusal:
            raise CommandError(str(refusal), returncode=2) from refusal
        for key, numbers in found.differing.items():
            more = " …" if len(numbers) > 20 else ""
            self.stdout.write(f"{key}: {len(numbers)} differ: {', '.join(map(str, numbers[:20]))}{more}")
        self.stdout.write(f"{found.restored} entries put back" if not options["dry_run"] else "nothing was changed")
        if found.restored:
            verify(mode=Mode.FULL, actor="manage.py")
