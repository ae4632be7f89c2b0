"""`manage.py audit_checkpoint [--rotate-key]`: seal now, and hand it to the stores."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit.models import Witness
from audit.services.deliver import deliver_checkpoints
from audit.services.make_checkpoint import make_checkpoint


class Command(BaseCommand):
    help = "Sign a checkpoint over all chains now; with --rotate-key, name a new key for the ones after it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rotate-key", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        rotate = options["rotate_key"]
        made = make_checkpoint(reason="rotation" if rotate else "asked", actor="manage.py", rotate=rotate)
        deliver_checkpoints()
        self.stdout.write(f"checkpoint {made.number}: {made.entries} entries, digest {made.digest}, key {made.key_id}")
        for witness in Witness.objects.all():
            told = f"failing: {witness.error}" if witness.failing_since else witness.state
            self.stdout.write(f"{witness.name}: up to {witness.delivered}, {told}")
