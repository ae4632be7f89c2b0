"""`manage.py plan_playbook NAME|FILE --host H … [--param n=v …] [--file F]`: a dry run, connecting to nothing."""

from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import BaseCommand, CommandError, CommandParser

from cmdb.models import Server
from execution.models import Playbook
from execution.plan.build import planned_servers
from execution.plan.dry_run import Beside, beside_what_serves, dry_run, dry_steps
from execution.playbooks.schema import parse_playbook
from execution.words import step_label
from guardia.common.errors import GuardiaError
from tickets.services.store_artefact import store_artefact


class Command(BaseCommand):
    help = (
        "Print every command that a playbook would run on each host, and what differs from the version that serves"
        " them now. Nothing is connected to, nothing is kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("playbook", help="the name of a published playbook (its newest version), or a YAML file")
        parser.add_argument("--host", action="append", required=True, help="a host's name; may be given again")
        parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE")
        parser.add_argument("--file", type=Path, help="what the task would bring: an artefact, a ZIP, a certificate")

    def handle(self, *args: Any, **options: Any) -> None:
        given = {}
        for pair in options["param"]:
            name, equals, value = pair.partition("=")
            if not equals:
                raise CommandError(f"--param {pair}: NAME=VALUE is needed")
            given[name] = value
        hosts = set(options["host"])
        servers = Server.objects.filter(hostname__in=hosts)
        if unknown := hosts - set(servers.values_list("hostname", flat=True)):
            raise CommandError(f"there is no server {min(unknown)}")
        try:
            definition, file = parse_playbook(_source(options["playbook"])), options["file"]
            artefact = store_artefact(SimpleUploadedFile(file.name, file.read_bytes())) if file else None
            planned = planned_servers(servers)
            document = dry_run(definition, planned, given, artefact)
        except GuardiaError as error:
            raise CommandError(str(error)) from error
        self._print(document)
        for row in beside_what_serves(definition, planned, given, artefact):
            self._print_beside(row)

    def _print(self, document: dict[str, Any]) -> None:
        for number, names in enumerate(document["waves"], start=1):
            for name in names:
                host = document["hosts"][name]
                self.stdout.write(f"— wave {number}: {name} ({host['address']}:{host['port']}) as {host['username']}")
                for place, step in enumerate(dry_steps(host), start=1):
                    self.stdout.write(f"  {place}. {step.name} · {step_label(step.name)}")
                    for line in [*(f"$ {line}" for line in step.commands), *(f"↶ {line}" for line in step.undo)]:
                        self.stdout.write(f"     {line}")

    def _print_beside(self, row: Beside) -> None:
        self.stdout.write(f"— beside {row.playbook}, which serves {', '.join(one.hostname for one in row.servers)} now")
        if row.problem:
            self.stdout.write(f"  its plan can't be made with this: {row.problem}")
        for change in row.changes:
            self.stdout.write(f"  {change.title if not change.hostname else change.hostname}: {change.kind.lower()}")
            for one in change.differences:
                self.stdout.write(f"    {one.label}")
                for sign, lines in (("-", one.before), ("+", one.after)):
                    self.stdout.write("".join(f"      {sign} {line}\n" for line in lines), ending="")


def _source(name: str) -> str:
    if Path(name).is_file():
        return Path(name).read_text(encoding="utf-8")
    playbook = Playbook.objects.filter(name=name).order_by("-version").first()
    if playbook is None:
        raise CommandError(f"there is no playbook “{name}”, and no such file")
    return playbook.source
