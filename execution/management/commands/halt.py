"""`manage.py halt`: the kill switch from a console. It needs the database alone: no web, no worker, no queue."""

import getpass
import time
from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from execution.choices import HaltScope, HostStatus
from execution.gate.halts import living_halts
from execution.halts.lift import lift_halt
from execution.halts.press import halt, stop_covered_runs
from execution.models import Halt, HostRun, Run
from guardia.common.errors import GuardiaError


class Command(BaseCommand):
    help = "Press or lift the kill switch; without options, say what is pressed."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--global", action="store_true", dest="everything", help="everything, in all institutions")
        what.add_argument("--institution", metavar="CODE", help="everything of one institution")
        what.add_argument("--run", metavar="N", type=int, help="one run, by its number")
        what.add_argument("--task", metavar="TASK_ID", help="the run of one task")
        parser.add_argument("--reason", default="", help="why; it is shown to everybody")
        parser.add_argument("--rollback", action="store_true", help="roll back what was begun, instead of leaving it")
        parser.add_argument("--lift", action="store_true", help="lift it instead of pressing it")
        parser.add_argument("--no-wait", action="store_true", help="don't wait until every server is named")

    def handle(self, *args: Any, **options: Any) -> None:
        scope = _scope(options)
        if scope is None:
            self._show()
            return
        actor = f"console:{getpass.getuser()}"
        try:
            if options["lift"]:
                lifted = lift_halt(actor=actor, pk=_living(scope, options).pk, reason=options["reason"])
                self.stdout.write(_("Lifted: %(target)s") % {"target": lifted.target})
                return
            pressed = halt(
                actor=actor,
                scope=scope,
                institution=options["institution"] or "",
                task_id=options["task"] or "",
                run_pk=options["run"],
                reason=options["reason"],
                rolls_back=options["rollback"],
            )
        except GuardiaError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_("Halted: %(target)s") % {"target": pressed.target})
        self._name_servers(pressed, 0 if options["no_wait"] else settings.GUARDIA_LEASE_SECONDS + 10)

    def _name_servers(self, pressed: Halt, seconds: float) -> None:
        """Wait until no worker holds a server any more (a dead one's lease ends too), and say how each stands."""
        ends = time.monotonic() + seconds
        while _moving(pressed) and time.monotonic() < ends:
            time.sleep(0.5)
            stop_covered_runs(pressed)
        for run in Run.objects.filter(halt=pressed).select_related("task").order_by("pk"):
            hosts = HostRun.objects.filter(wave__run=run).select_related("server").order_by("wave__number", "pk")
            counts = Counter(host.get_status_display() for host in hosts)
            self.stdout.write(f"{run.task.task_id} · {run.get_status_display()} · {dict(counts)}")
            for host in hosts:
                if host.status != HostStatus.UNTOUCHED:
                    self.stdout.write(f"  {host.server.hostname}: {host.get_status_display()} {host.error}".rstrip())

    def _show(self) -> None:
        rows = list(living_halts())
        for row in rows:
            self.stdout.write(f"#{row.pk} {row} · {row.halted_as} · {row.halted_at:%Y-%m-%d %H:%M:%S%z} · {row.reason}")
        if not rows:
            self.stdout.write(_("Nothing is halted."))


def _scope(options: dict[str, Any]) -> HaltScope | None:
    if options["everything"]:
        return HaltScope.GLOBAL
    if options["institution"]:
        return HaltScope.INSTITUTION
    return HaltScope.RUN if options["run"] is not None or options["task"] else None


def _living(scope: HaltScope, options: dict[str, Any]) -> Halt:
    rows = living_halts().filter(scope=scope)
    if scope == HaltScope.INSTITUTION:
        rows = rows.filter(institution__code=options["institution"])
    elif scope == HaltScope.RUN:
        rows = (
            rows.filter(run=options["run"])
            if options["run"] is not None
            else rows.filter(run__task__task_id=options["task"])
        )
    row = rows.first()
    if row is None:
        raise CommandError(_("Nothing is halted there."))
    return row


def _moving(pressed: Halt) -> bool:
    return Run.objects.filter(halt=pressed, status="RUNNING").exists()
