"""`manage.py audit_export --as USERNAME --reason TEXT --output FILE`: the chains for `tools/verify_audit.py`."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from audit.services.export import export_chains
from guardia.common.errors import GuardiaError


class Command(BaseCommand):
    help = "Write chains, checkpoints and the first public key as JSON Lines. The export is an entry itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as", dest="username", required=True, help="who exports: decides what may be seen")
        parser.add_argument("--reason", required=True)
        parser.add_argument("--output", type=Path, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        actor = User.objects.filter(username=options["username"], is_active=True).first()
        if actor is None:
            raise CommandError(f"there is no active user {options['username']!r}", returncode=2)
        try:
            with options["output"].open("wb") as out:
                made = export_chains(actor=actor, reason=options["reason"], out=out)
        except GuardiaError as refusal:
            options["output"].unlink(missing_ok=True)
            raise CommandError(str(refusal), returncode=2) from refusal
        self.stdout.write(f"{made.entries} entries, {made.checkpoints} checkpoints, SHA-256 {made.sha256}")
