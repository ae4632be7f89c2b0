"""`manage.py export_reworks --as USERNAME [--since DAY] [--institution CODE] [--output FILE]`: as JSON Lines."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import make_aware

from accounts.models import Institution, User
from governance.services.export_reworks import Export, export_reworks
from guardia.common.errors import GuardiaError


class Command(BaseCommand):
    help = "Export rework instructions (request, context, diff, instruction, next_diff), masked, as JSON Lines."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as", dest="username", required=True, help="who exports (a PM or administrator)")
        parser.add_argument("--since", help="only reworks from this day on (YYYY-MM-DD, in the project's time zone)")
        parser.add_argument("--institution", help="only this institution's (its code)")
        parser.add_argument("--output", type=Path, help="the file to write; standard output where it is left out")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = User.objects.filter(username=options["username"], is_active=True).first()
        if actor is None:
            raise CommandError(f"there is no active user {options['username']!r}")
        given: dict[str, Any] = {"actor": actor}
        if options["since"]:
            given["since"] = _start_of(options["since"])
        if options["institution"]:
            given["institution"] = Institution.objects.filter(code=options["institution"]).first()
            if given["institution"] is None:
                raise CommandError(f"there is no institution {options['institution']!r}")
        try:
            done = _export(options["output"], given)
        except (OSError, GuardiaError) as error:
            raise CommandError(str(error)) from error
        self.stderr.write(f"{done.lines} reworks, SHA-256 {done.sha256}")


def _export(output: Path | None, given: dict[str, Any]) -> Export:
    if output is None:
        return export_reworks(out=sys.stdout.buffer, **given)
    with output.open("xb") as file:
        return export_reworks(out=file, **given)


def _start_of(day: str) -> Any:
    try:
        moment = parse_datetime(f"{day}T00:00:00") if parse_date(day) else None
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError(f"{day!r} is no day like 2026-11-21")
    return make_aware(moment)
