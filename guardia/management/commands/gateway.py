"""`manage.py gateway`: this program as a gateway beside sites that the core can't reach (docs/gateways.md).

The first time with `--core`, `--name` and the one-time code, which is asked for (or read from standard input, never
from the arguments); later without. Its home is its own: never that of a core.
"""

import getpass
import json
import signal
import sys
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import localtime

from execution.gateways import spool, work
from execution.gateways.courier import Courier
from execution.gateways.home import folder, own_keys, pinned_core
from execution.gateways.joining import join
from execution.gateways.messages import fingerprint
from execution.gateways.remote import Core
from execution.models import GatewayOrder
from guardia.common.errors import GuardiaError
from guardia.processes import gateway_processes, migrate


class Command(BaseCommand):
    help = "Run a gateway: enrol it the first time, then work for the core until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--core", default="", help="the core's address, https://core.example")
        parser.add_argument("--ca", default="", help="PEM file of what the core's certificate is signed with")
        parser.add_argument("--name", default="", help="this gateway's name as the core's page shows it (MOEF/busan)")
        parser.add_argument("--status", action="store_true", help="say how it stands, and end")
        parser.add_argument("--courier", action="store_true", help="the process that speaks with the core, by itself")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["courier"]:
            return self._courier()
        if options["status"]:
            return self._status()
        if not settings.GUARDIA_EMBEDDED:
            raise CommandError("A gateway has an embedded database of its own: unset GUARDIA_DATABASE_URL.")
        migrate()
        if options["core"]:
            self._where(options)
        if not settings.GUARDIA_GATEWAY:
            self._join(options["name"])
        code = gateway_processes(output=sys.stdout).run()
        if code:
            sys.exit(code)

    def _where(self, options: dict[str, Any]) -> None:
        """Where the core is; it may move, its key may not."""
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        where = {"core": options["core"], "ca": options["ca"]}
        (folder() / "where.json").write_text(json.dumps(where), encoding="utf-8")

    def _join(self, name: str) -> None:
        where = self._read_where()
        if not name:
            raise CommandError("Say its --name, as the core's page shows it.")
        code = getpass.getpass("One-time code: ") if sys.stdin.isatty() else sys.stdin.readline()
        try:
            shown = join(url=where["core"], ca=where["ca"], name=name, code=code)
        except GuardiaError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Enrolled as {name}. An administrator types this fingerprint at the core:\n\n  {shown}\n")
        self.stdout.flush()

    def _courier(self) -> None:
        where, stop = self._read_where(), threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_args: stop.set())
        core = Core(where["core"], settings.GUARDIA_GATEWAY, own_keys().sign, pinned_core(), where["ca"])
        if not Courier(core).run(stop):
            stop.wait()  # revoked: nothing more is said; the supervisor needn't start us again

    def _status(self) -> None:
        if not settings.GUARDIA_GATEWAY:
            raise CommandError("This home is no gateway's.")
        link = work.link()
        seen = localtime(link.seen_at).isoformat(" ", "seconds") if link.seen_at else "never"
        lines = [
            f"gateway      {settings.GUARDIA_GATEWAY}",
            f"fingerprint  {fingerprint(*own_keys().public)}",
            f"core         {self._read_where()['core']}, last reached {seen}",
            f"alone        {link.when_away.lower()} after {link.away_seconds} s",
            f"sites        {', '.join(link.sites) or '-'}",
            f"spool        {spool.waiting()} parcels wait; sealed up to {link.number}",
            f"orders       {GatewayOrder.objects.filter(settled_at=None).count()} open",
        ]
        self.stdout.write("\n".join(lines))

    def _read_where(self) -> dict[str, str]:
        try:
            found = json.loads((folder() / "where.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError("Say where the core is: --core https://core.example") from error
        return {"core": str(found["core"]), "ca": str(found["ca"])}
