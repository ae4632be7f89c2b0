"""`manage.py import_cmdb FILE --as USERNAME`: take an inventory in, all of it or nothing."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from cmdb.services.import_cmdb import import_cmdb
from guardia.common.errors import GuardiaError


class Command(BaseCommand):
    help = "Import institutions, sites, systems and servers from a JSON file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--as", dest="username", required=True, help="who imports (an operator of all institutions)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        actor = User.objects.filter(username=options["username"], is_active=True).first()
        if actor is None:
            raise CommandError(f"there is no active user {options['username']!r}")
        try:
            data = json.loads(options["file"].read_text())
            report = import_cmdb(actor=actor, data=data)
        except (OSError, ValueError, GuardiaError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{report.institutions} institutions, {report.sites} sites, "
            f"{report.systems} systems, {report.servers} servers"
        )
