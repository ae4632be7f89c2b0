"""`manage.py up [--port N] [--sample]`: the portal and a worker until Ctrl-C; with --sample also the loopback fleet."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from guardia.embedded.ports import choose_port
from guardia.processes import HOST, PREFERRED_PORT, portal_processes, prepare


class Command(BaseCommand):
    help = "Run the portal and a worker until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=PREFERRED_PORT)
        parser.add_argument("--sample", action="store_true", help="with the sample data and the loopback fleet")

    def handle(self, *args: Any, **options: Any) -> None:
        prepare()
        with _sample() if options["sample"] else contextlib.nullcontext(""):
            port = choose_port(options["port"], HOST)
            if port != options["port"]:
                self.stdout.write(f"Port {options['port']} is taken; using {port}.")
            if options["sample"]:
                self.stdout.write(_who_can_log_in())
            self.stdout.write(f"Guardia: http://{HOST}:{port}  (Ctrl-C stops it)")
            self.stdout.flush()
            code = portal_processes(port, output=sys.stdout).run()
        if code:
            sys.exit(code)


@contextlib.contextmanager
def _sample() -> Iterator[None]:
    from demo.seed import seed
    from demo.stage import fleet_on_stage

    with fleet_on_stage() as fleet:
        seed(fleet.inventory())
        yield


def _who_can_log_in() -> str:
    from demo.seed import ADMINISTRATOR, PEOPLE, sample_password

    lines = [f"  {ADMINISTRATOR:<14} everything"]
    lines += [
        f"  {person.username:<14} {person.role.value.lower()} {person.institution or '(all)'}" for person in PEOPLE
    ]
    return "\n".join(["Who can log in (password of all: " + sample_password() + ")", *lines])
