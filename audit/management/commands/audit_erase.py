"""`manage.py audit_erase --as USERNAME --about SUBJECT (--reason TEXT | --confirm | --keep)`: be forgotten."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from audit.choices import KeyStatus
from audit.selectors import data_keys_visible_to
from audit.services.erase_key import decide_erasure, propose_erasure
from guardia.common.errors import GuardiaError


class Command(BaseCommand):
    help = "Erase the data keys of a subject: one person proposes with a reason, a second one confirms."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as", dest="username", required=True, help="who acts: decides what may be erased")
        parser.add_argument("--about", required=True, help="user:<id>, task:<TASK_ID> or a month (2026-11)")
        parser.add_argument("--chain", default="", help="only in this chain; otherwise in all that may be seen")
        act = parser.add_mutually_exclusive_group(required=True)
        act.add_argument("--reason", help="propose the erasure")
        act.add_argument("--confirm", action="store_true", help="erase what somebody else proposed, for good")
        act.add_argument("--keep", action="store_true", help="refuse what somebody else proposed")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = User.objects.filter(username=options["username"], is_active=True).first()
        if actor is None:
            raise CommandError(f"there is no active user {options['username']!r}", returncode=2)
        is_proposal = options["reason"] is not None
        keys = data_keys_visible_to(actor).filter(subject=options["about"]).order_by("pk")
        keys = keys.filter(status=KeyStatus.LIVING if is_proposal else KeyStatus.PROPOSED)
        if options["chain"]:
            keys = keys.filter(chain__key=options["chain"])
        found = list(keys)
        if not found:
            raise CommandError(f"there is no such key for {options['about']!r}", returncode=2)
        for key in found:
            try:
                if is_proposal:
                    after = propose_erasure(actor=actor, key_pk=key.pk, reason=options["reason"])
                else:
                    after = decide_erasure(actor=actor, key_pk=key.pk, erase=options["confirm"])
            except GuardiaError as refusal:
                raise CommandError(f"{key.chain}: {refusal}", returncode=2) from refusal
            self.stdout.write(f"{key.chain} {key.key_id} {key.subject}: {after.status.lower()}")
