"""`manage.py playbooks list|check|import|export|choose`: playbooks as YAML files."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from cmdb.models import System
from execution.models import Playbook
from execution.playbooks.choose import choose_playbook
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

        choose = acts.add_parser("choose", help="which version serves a system (its kind of work); default: the newest")
        choose.add_argument("system", help="the system's code")
        choose.add_argument("name", help="the playbook's name")
        choose.add_argument("version", help="a number, or “newest”")
        choose.add_argument("--as", dest="username", required=True, help="who chooses: an operator of the system")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["act"] == "list":
            for row in Playbook.objects.order_by("name", "version"):
                self.stdout.write(f"{row} {row.sub_type} {row.digest[:12]}")
        elif options["act"] == "export":
            options["folder"].mkdir(parents=True, exist_ok=True)
            for row in Playbook.objects.order_by("name", "version"):
                (options["folder"] / f"{row.name}-v{row.version}.yaml").write_text(row.source, encoding="utf-8")
                self.stdout.write(f"{row.name}-v{row.version}.yaml")
        elif options["act"] == "choose":
            self._choose(options)
        else:
            self._read(options)

    def _choose(self, options: dict[str, Any]) -> None:
        actor = User.objects.filter(username=options["username"], is_active=True).first()
        system = System.objects.select_related("institution").filter(code=options["system"]).first()
        rows, version = Playbook.objects.filter(name=options["name"]), options["version"]
        playbook = (rows.filter(version=version) if version.isdecimal() else rows.order_by("-version")).first()
        if actor is None or system is None or playbook is None or not (version.isdecimal() or version == "newest"):
            raise CommandError("there is no such user, system or version of this playbook")
        try:
            choose_playbook(actor=actor, system=system, playbook=playbook, is_newest=version == "newest")
        except GuardiaError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{system.code} {playbook.sub_type}: {playbook if version != 'newest' else 'newest'}")

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
