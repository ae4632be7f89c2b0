"""`manage.py rollout_plan`: the waves of a plan, or of chosen servers under a strategy. Nothing is connected to."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cmdb.models import Server
from execution.models import Plan, Playbook
from execution.plan.build import candidate_of
from execution.plan.rollout_words import planned_waves, strategy_words
from execution.plan.waves import plan_waves
from execution.playbooks.lines import Source
from execution.playbooks.schema import parse_playbook, parse_strategy
from execution.playbooks.strategy import BY, Strategy
from guardia.common.errors import GuardiaError

#: What `--where` may ask → field of the server; `*` in a value stands for anything.
_FIELDS = {
    "institution": "system__institution__code",
    "system": "system__code",
    "site": "site__code",
    "tier": "site__tier",
    "role": "role",
    "profile": "profile__name",
    "group": "redundancy_group",
    "hostname": "hostname",
}
_NAMED = 4


class Command(BaseCommand):
    help = "Print the waves of a plan, or of servers chosen by a file or a query under a strategy."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--task", metavar="TASK_ID", help="the newest plan of a task")
        what.add_argument("--plan", metavar="DIGEST", help="a plan, by its digest or the first digits of it")
        what.add_argument("--file", metavar="FILE", help="hostnames, one per line; - is the standard input")
        what.add_argument("--where", nargs="+", metavar="NAME=VALUE", help=f"servers that fit: {', '.join(_FIELDS)}")
        parser.add_argument("--playbook", help="whose strategy: a published playbook's name, or a YAML file")
        parser.add_argument("--batches", help='"1, 10%%, 50, 100%%"')
        parser.add_argument("--by", choices=BY)
        parser.add_argument("--groups", type=int)
        parser.add_argument("--tier", type=int)
        parser.add_argument("--tolerate", metavar="WAVE,RUN", help='"1,5%%"')
        parser.add_argument("--format", choices=["table", "jsonl"], default="table")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["task"] or options["plan"]:
                content = _plan(options).content
            else:
                content = _imagined(_servers(options), _strategy(options))
        except GuardiaError as error:
            raise CommandError(str(error)) from error
        waves = planned_waves(content)
        if options["format"] == "jsonl":
            self.stdout.write("\n".join(json.dumps(wave, ensure_ascii=False) for wave in waves))
            return
        self.stdout.write("\n".join(f"# {words}" for words in strategy_words(Strategy.of(content))))
        self.stdout.write(f"{'wave':>5} {'servers':>8} {'in all':>8} {'may fail':>9}  tiers  names")
        so_far = 0
        for wave in waves:
            so_far += wave["size"]
            tiers, left = ",".join(map(str, wave["tiers"])), wave["size"] - _NAMED
            names = ", ".join(wave["names"][:_NAMED]) + (f" +{left}" if left > 0 else "")
            numbers = f"{wave['number']:>5} {wave['size']:>8} {so_far:>8} {wave['tolerated']:>9}"
            self.stdout.write(f"{numbers}  {tiers:<5}  {names}")


def _plan(options: dict[str, Any]) -> Plan:
    plans = Plan.objects.order_by("-pk")
    if options["task"]:
        found = plans.filter(task__task_id=options["task"]).first()
    else:
        found = plans.filter(digest__startswith=options["plan"]).first()
    if found is None:
        raise CommandError("there is no such plan")
    return found


def _servers(options: dict[str, Any]) -> list[Server]:
    servers = Server.objects.filter(is_active=True).select_related("site").order_by("hostname")
    if options["where"]:
        chosen = list(servers.filter(**dict(_filters(options["where"]))))
    else:
        text = sys.stdin.read() if options["file"] == "-" else Path(options["file"]).read_text(encoding="utf-8")
        names = {line.strip() for line in text.splitlines() if line.strip()}
        chosen = list(servers.filter(hostname__in=names))
        if unknown := names - {server.hostname for server in chosen}:
            raise CommandError(f"there is no active server {min(unknown)}")
    if not chosen:
        raise CommandError("no server fits")
    return chosen


def _filters(pairs: list[str]) -> Iterator[tuple[str, Any]]:
    for pair in pairs:
        name, _equals, value = pair.partition("=")
        if name not in _FIELDS or not value:
            raise CommandError(f"{pair}: NAME=VALUE is needed, with one of: {', '.join(_FIELDS)}")
        if name == "tier" and not value.isdecimal():
            raise CommandError(f"{pair}: a tier is a number")
        if "*" in value:
            pattern = ".*".join(_plain(part) for part in value.split("*"))
            yield f"{_FIELDS[name]}__regex", f"^{pattern}$"
        else:
            yield _FIELDS[name], value


def _plain(text: str) -> str:
    return "".join(char if char.isalnum() or char in "_-" else f"\\{char}" for char in text)


def _strategy(options: dict[str, Any]) -> Strategy:
    given = {name: options[name] for name in ("batches", "by", "groups", "tier") if options[name] is not None}
    if options["tolerate"]:
        wave, _comma, run = options["tolerate"].partition(",")
        given["tolerate"] = {"wave": wave.strip(), "run": run.strip()}
    if options["playbook"]:
        if given:
            raise CommandError("a playbook's strategy, or one given here: not both")
        return parse_playbook(_source(options["playbook"])).strategy
    source = Source(json.dumps({"strategy": given}))
    return parse_strategy(source, ("strategy",), given)


def _source(name: str) -> str:
    if Path(name).is_file():
        return Path(name).read_text(encoding="utf-8")
    playbook = Playbook.objects.filter(name=name).order_by("-version").first()
    if playbook is None:
        raise CommandError(f"there is no playbook “{name}”, and no such file")
    return playbook.source


def _imagined(servers: list[Server], strategy: Strategy) -> dict[str, Any]:
    """As much of a plan as says its waves."""
    return {
        "strategy": strategy.document(),
        "waves": plan_waves(map(candidate_of, servers), strategy),
        "hosts": {server.hostname: {"tier": server.site.tier} for server in servers},
    }
