"""`manage.py fleet_exec --as USER --hosts FILE|--query "…" -- COMMAND`: a command on many servers, through the gate.

What only looks runs at once. Anything else becomes a task for each system, which is approved like any other; what the
command check blocks is refused. Exit status: 0 every host answered with 0, 1 some didn't, 2 refused, 3 tasks wait.
"""

import fnmatch
import json
import shlex
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.scope import visible_to
from cmdb.models import Server
from execution.command_check.check import check_command
from execution.command_check.looks import is_look
from execution.command_check.verdict import Verdict
from execution.gate.direct import Said, as_line, look_at_hosts
from execution.plan.build import WAY
from execution.plan.judge import surroundings_of
from execution.reason_words import reason_label
from guardia.common.errors import GuardiaError
from guardia.common.masking import mask
from tickets.choices import Channel, SubType
from tickets.models import OpsTask
from tickets.services.file_task import file_task

_MOST_HOSTS = 10_000
_FILTERS = {
    "system": "system__code", "institution": "system__institution__code", "site": "site__code", "tier": "site__tier",
    "role": "role", "group": "redundancy_group", "profile": "profile__name",
}  # fmt: skip
FAILED, WAITING = 1, 3


class Command(BaseCommand):
    help = "Run a command that only looks on many servers at once; anything else becomes tasks that are approved."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as", dest="username", required=True, help="who asks: an operator of the servers")
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--hosts", metavar="FILE", help="host names, one per line; - for standard input")
        which.add_argument("--query", help=f"“system=… tier=…”, of {', '.join(sorted(_FILTERS))}, host")
        parser.add_argument("--json", action="store_true", dest="as_json", help="JSON Lines instead of a table")
        parser.add_argument("--seconds", type=int, default=30, help="for each host (1 to 600)")
        parser.add_argument("--output", type=int, default=4096, metavar="BYTES", help="kept of each (at most 65536)")
        parser.add_argument("words", nargs="+", metavar="COMMAND", help="behind --; one word is a line for the shell")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = User.objects.filter(username=options["username"], is_active=True).first()
        if actor is None:
            raise _refused(f"there is no active user {options['username']!r}")
        if not 1 <= options["seconds"] <= 600 or not 1 <= options["output"] <= 65_536:
            raise _refused("--seconds is 1 to 600, --output 1 to 65536")
        servers, command = _servers(actor, options), as_line(options["words"])
        if mask(command) != command:
            raise _refused(_("A command is read by many: it must hold no secret."))
        try:
            if is_look(command):
                bounds = {"seconds": options["seconds"], "keep": options["output"]}
                said = look_at_hosts(actor=actor, servers=servers, command=command, **bounds)
                shown = [self._show(one, options["as_json"]) for one in said]
                status = 0 if all(shown) else FAILED
            else:
                for task in _tasks(actor, servers, command):
                    self._show_task(task, options["as_json"])
                status = WAITING
        except GuardiaError as error:
            raise _refused(str(error)) from error
        if status:
            sys.exit(status)

    def _show(self, said: Said, as_json: bool) -> bool:
        if as_json:
            row = {
                "host": said.hostname, "exit_status": said.exit_status, "output": said.output, "is_cut": said.is_cut,
                "error_code": said.code, "error": said.error,
            }  # fmt: skip
            self.stdout.write(json.dumps(row, ensure_ascii=False))
        else:
            lines = (said.error or said.output).rstrip("\n").split("\n") + (["…"] if said.is_cut else [])
            status = said.code or str(said.exit_status)
            for place, line in enumerate(lines):
                self.stdout.write(f"{said.hostname if not place else '':<32} {status if not place else '':<16} {line}")
        return said.exit_status == 0

    def _show_task(self, task: OpsTask, as_json: bool) -> None:
        hosts = list(task.servers.order_by("hostname").values_list("hostname", flat=True))
        if as_json:
            self.stdout.write(json.dumps({"task": task.task_id, "status": task.status, "hosts": hosts}))
        else:
            self.stdout.write(f"{task.task_id} {task.get_status_display()} · {', '.join(hosts)}")


def _servers(actor: User, options: dict[str, Any]) -> list[Server]:
    seen = visible_to(Server.objects.filter(is_active=True), actor)
    rows = seen.select_related("system__institution", "profile", "credential", *WAY).order_by("hostname")
    found = _named(rows, options["hosts"]) if options["hosts"] else _asked(rows, options["query"])
    if not found:
        raise _refused(_("No server is named."))
    if len(found) > _MOST_HOSTS:
        raise _refused(f"more than {_MOST_HOSTS} servers")
    return found


def _named(rows: QuerySet[Server], source: str) -> list[Server]:
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise _refused(str(error)) from error
    names = {line.partition("#")[0].strip() for line in text.splitlines()} - {""}
    found = list(rows.filter(hostname__in=names))
    if unknown := sorted(names - {server.hostname for server in found}):
        raise _refused(f"there is no active server {unknown[0]!r}")
    return found


def _asked(rows: QuerySet[Server], query: str) -> list[Server]:
    pattern = "*"
    try:
        parts = shlex.split(query)
    except ValueError as error:
        raise _refused(str(error)) from error
    for part in parts:
        name, equals, value = part.partition("=")
        if not equals or not value or name not in (*_FILTERS, "host"):
            raise _refused(f"{part!r} is not one of {', '.join(sorted([*_FILTERS, 'host']))} with =value")
        if name == "host":
            pattern = value
        elif name == "tier" and not value.isdecimal():
            raise _refused(f"{part!r}: a tier is a number")
        else:
            rows = rows.filter(**{_FILTERS[name]: value})
    return [server for server in rows if fnmatch.fnmatchcase(server.hostname, pattern)]


def _tasks(actor: User, servers: list[Server], command: str) -> list[OpsTask]:
    """A task for each system. Raises CommandError where the command check blocks it on any server."""
    by_system: dict[str, list[str]] = defaultdict(list)
    for server in servers:
        home = server.home_dir.rstrip("/")
        programs = (f"{home}/{server.profile.startup_script}", f"{home}/{server.profile.shutdown_script}")
        judgement = check_command("shell", command, surroundings_of(home, programs))
        if judgement.verdict is Verdict.BLOCK:
            raise _refused(
                _("Blocked on %(host)s: %(why)s") % {"host": server.hostname, "why": reason_label(judgement.reason)}
            )
        by_system[server.system.code].append(server.hostname)
    return [
        file_task(
            actor=actor,
            text=_("A command on %(count)s servers") % {"count": len(names)},
            channel=Channel.API,
            system_code=code,
            hostnames=names,
            sub_type=SubType.HOST_COMMAND,
            params={"command": command},
        )
        for code, names in sorted(by_system.items())
    ]


def _refused(message: str) -> CommandError:
    return CommandError(message, returncode=2)
