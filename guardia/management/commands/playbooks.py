"""`manage.py playbooks list|check|import|export`: playbooks as YAML files."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from execution.models import Playbook
from execution.playbooks.publish import publish_playbook
from execution.playbooks.schema import parse_playbook
from guardia.common.errors import GuardiaError


class Command(BaseCommand):
    help = "List the published playbooks, check or publish YAML files, or write all published versions to a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("list")
        check = acts.add_parser("check", help="says what is wrong, with the line; publishes nothing")
        check.add_argument("files", nargs="+", type=Path)
        publish = acts.add_parser("import", help="publishes each file; what is published already stays as it is")
        publish.add_argument("files", nargs="+", type=Path)
        publish.add_argument("--as", dest="username", required=True, help="who publishes")
        export = acts.add_parser("export", help="NAME-vVERSION.yaml for every published version")
        export.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["act"] == "list":
            for row in Playbook.objects.order_by("name", "version"):
                self.stdout.write(f"{row} {row.sub_type} {row.digest[:12]}")
        elif options["act"] == "export":
            options["folder"].mkdir(parents=True, exist_ok=True)
            for row in Playbook.objects.order_by("name", "version"):
                (options["folder"] / f"{row.name}-v{row.version}.yaml").write_text(row.source, encoding="utf-8")
                self.stdout.write(f"{row.name}-v{row.version}.yaml")
        else:
            self._read(options)

    def _read(self, options: dict[str, Any]) -> None:
        actor = User.objects.filter(username=options.get("username", "")).first()
        if options["act"] == "import" and actor is None:
            raise CommandError(f"there is no user “{options['username']}”")
        for file in options["files"]:
            try:
                source = file.read_text(encoding="utf-8")
                if actor is None:
                    definition = parse_playbook(source)
                    self.stdout.write(f"{file}: {definition.name} v{definition.version} is good")
                else:
                    self.stdout.write(f"{file}: {publish_playbook(actor=actor, source=source)}")
            except (GuardiaError, OSError, UnicodeDecodeError) as error:
                raise CommandError(f"{file}: {error}") from error
