"""`manage.py bench [--part …]`: the figures of docs/performance.md."""

import os
import platform
import sys
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from accounts.choices import Role
from demo.bench.bare import connect_and_run_true
from demo.bench.chain import measure_chain
from demo.bench.commands import milliseconds_per_line
from demo.bench.governance import measure_governance
from demo.bench.memory import PeakMemory
from demo.bench.peers.table import measure_peers
from demo.bench.planning import measure_planning
from demo.bench.rollout import Figures, measure_rollout
from demo.bench.trail import measure_trail
from demo.bench.upload import measure_upload
from demo.client import Person as Client
from demo.fleet import Fleet, many_hosts, with_free_ports
from demo.seed import Person, sample_password, seed
from guardia.embedded.ports import choose_port
from guardia.management.commands.demo import wait_until_ready
from guardia.processes import HOST, PREFERRED_PORT, portal_processes, prepare

STAFF = (
    Person("bench.site", "현장", Role.SITE_MANAGER, "BENCH"),
    Person("bench.owner", "팀장", Role.TEAM_LEAD, "BENCH"),
    Person("bench.pm", "피엠", Role.PM, "BENCH"),
)


class Command(BaseCommand):
    help = "Measure the product at work: latency, live events, memory, beside the bare connector."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--part",
            choices=["engine", "governance", "chain", "trail", "planning", "upload", "peers", "all"],
            default="all",
        )
        parser.add_argument("--hosts", type=int, default=200, help="servers of the engine's part")
        parser.add_argument("--tasks", type=int, default=1_000_000, help="tasks of the governance part")
        parser.add_argument("--entries", type=int, default=1_000_000, help="entries of the chain's part")
        parser.add_argument("--trail-entries", type=int, default=10_000_000, help="entries of the trail's part")
        parser.add_argument("--servers", type=int, default=10_000, help="servers of the planning part")
        parser.add_argument("--rounds", type=int, default=3, help="rounds of the peers' part")
        parser.add_argument("--peers-a", default="50,200,1000", help="hosts that are connected to, beside the peers")
        parser.add_argument("--peers-b", default="50,200", help="hosts that are deployed to, beside the peers")
        parser.add_argument("--tools", default="", help="parts of names: these tools alone, beside the peers")

    def handle(self, *args: Any, **options: Any) -> None:
        prepare()
        wanted = (
            ["governance", "chain", "trail", "planning", "upload", "peers", "engine"]
            if options["part"] == "all"
            else [options["part"]]
        )
        if wanted != ["engine"]:
            self._head()
        if "governance" in wanted:
            for figure in measure_governance(options["tasks"]):
                self._row(*figure)
        if "chain" in wanted:
            for name, asked, value in measure_chain(options["entries"]):
                self._row(f"{name} ({asked})" if asked else name, value)
        if "trail" in wanted:
            for name, asked, value in measure_trail(options["trail_entries"]):
                self._row(f"{name} ({asked})" if asked else name, value)
        if "planning" in wanted:
            for name, asked, value in measure_planning(options["servers"]):
                self._row(f"{name} ({asked})" if asked else name, value)
        if "upload" in wanted:
            for name, asked, value in measure_upload():
                self._row(f"{name} ({asked})" if asked else name, value)
        if "peers" in wanted:
            sizes = {work: [int(size) for size in options[f"peers_{work.lower()}"].split(",") if size] for work in "AB"}
            for line in measure_peers(sizes, options["rounds"], [name for name in options["tools"].split(",") if name]):
                self.stdout.write(line)
                self.stdout.flush()
        if "engine" in wanted:
            self._engine(options["hosts"])

    def _engine(self, count: int) -> None:
        hosts = with_free_ports(many_hosts(count))
        failed = threading.Event()
        with (
            Fleet(settings.GUARDIA_HOME / "fleet", hosts) as fleet,
            (settings.GUARDIA_HOME / "bench.log").open("w") as log,
        ):
            seed(fleet.inventory(), data=_inventory(fleet), staff=STAFF, owners={"BENCH-WAS": ("bench.owner", None)})
            port = choose_port(PREFERRED_PORT, HOST)
            group = portal_processes(port, output=log)
            work = threading.Thread(
                target=self._measure, args=(f"http://{HOST}:{port}", fleet, group.request_stop, failed)
            )
            work.start()
            code = group.run()
            work.join()
        sys.exit(code or failed.is_set())

    def _measure(self, base: str, fleet: Fleet, stop: Any, failed: threading.Event) -> None:
        try:
            wait_until_ready(base)
            site, owner, pm = (Client(base, person.username, sample_password()) for person in STAFF)
            inventory = fleet.inventory()
            names = [host.hostname for host in inventory]
            bare = connect_and_run_true(inventory, settings.GUARDIA_HOSTS_AT_ONCE)
            small = measure_rollout(site, owner, pm, names[:6], settings.GUARDIA_HOME, "1.1.0")
            with PeakMemory() as memory:
                large = measure_rollout(site, owner, pm, names, settings.GUARDIA_HOME, "1.2.0")
            self._print(bare, small, large, memory.peak_mib)
            if (small.status, large.status) != ("SUCCEEDED", "SUCCEEDED"):
                failed.set()
        except BaseException:
            failed.set()
            raise
        finally:
            connection.close()
            stop()

    def _print(self, bare: float, small: Figures, large: Figures, peak_mib: float) -> None:
        hosts = large.hosts
        rows = [
            ("last approval → first command over SSH, 6 hosts", f"{small.first_byte:.2f} s"),
            (f"last approval → first command over SSH, {hosts} hosts", f"{large.first_byte:.2f} s"),
            (
                "event → websocket, 6 hosts: median / p95",
                f"{small.event_median * 1e3:.0f} / {small.event_p95 * 1e3:.0f} ms",
            ),
            (
                f"event → websocket, {hosts} hosts: median / p95",
                f"{large.event_median * 1e3:.0f} / {large.event_p95 * 1e3:.0f} ms",
            ),
            (
                f"{hosts} hosts, whole rollout ({large.status})",
                f"{large.rollout:.1f} s = {hosts / large.rollout:.1f} hosts/s",
            ),
            (f"bare connector: connect + `true` on {hosts} hosts", f"{bare:.1f} s = {hosts / bare:.1f} hosts/s"),
            ("ratio: rollout / bare connector", f"{large.rollout / bare:.1f}"),
            ("peak memory, web and worker together (PSS)", f"{peak_mib:.0f} MiB"),
            ("events of the large run", str(large.events)),
            ("command check, per line", f"{milliseconds_per_line():.2f} ms"),
        ]
        self._head()
        for row in rows:
            self._row(*row)

    def _head(self) -> None:
        self.stdout.write(f"\n{_machine()}\n\n| figure | value |\n|---|---|")

    def _row(self, name: str, value: str) -> None:
        self.stdout.write(f"| {name} | {value} |")
        self.stdout.flush()


def _inventory(fleet: Fleet) -> dict[str, Any]:
    servers = [
        {
            "hostname": host.hostname,
            "system": "BENCH-WAS",
            "site": "BENCH-1",
            "role": "was",
            "number": number,
            "ip": host.address,
        }
        for number, host in enumerate(fleet.inventory(), start=1)
    ]
    return {
        "institutions": [{"code": "BENCH", "name": "성능시험원"}],
        "sites": [{"code": "BENCH-1", "institution": "BENCH", "name": "성능시험센터", "tier": 2}],
        "systems": [{"code": "BENCH-WAS", "institution": "BENCH", "name": "성능시험시스템"}],
        "servers": servers,
    }


def _machine() -> str:
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "?",
    )
    python, load = platform.python_version(), os.getloadavg()[0]
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {python}, load {load:.1f}"
    )
