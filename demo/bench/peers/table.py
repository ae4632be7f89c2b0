"""Which tool does what on how many hosts, how often, and the table of it."""

import hashlib
import os
import shutil
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from demo.artefacts import build_artefact
from demo.bench.peers.environment import peers_python, versions
from demo.bench.peers.measure import Taken, family_of, run_tool, spent
from demo.bench.peers.product import Product
from demo.bench.peers.tools.work import Host
from demo.fleet import Fleet, many_hosts, with_free_ports
from demo.fleet.inventory import HostAccess
from demo.fleet.processes import MARKER

ENGINE, PRODUCT = "Guardia, engine alone", "Guardia, whole product"
_PATIENCE_SECONDS = 600.0
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Tool:
    """`most`: hosts it is given at most in A and B (0: it isn't asked); `rounds`: how often, at most."""

    name: str
    script: str
    most: tuple[int, int]
    rounds: int = 9
    options: tuple[str, ...] = ()


TOOLS = (
    Tool(ENGINE, "with_guardia", (1000, 200)),
    Tool("ssh2-python, C library", "with_ssh2", (200, 0)),
    Tool("asyncssh", "with_asyncssh", (1000, 200)),
    Tool("parallel-ssh", "with_parallel_ssh", (1000, 200)),
    Tool("fabric", "with_fabric", (200, 200)),
    Tool("pyinfra, its API", "with_pyinfra", (200, 200)),
    Tool("pyinfra, its program", "with_pyinfra_program", (1000, 200)),
    Tool("ansible -m raw", "with_ansible", (200, 0), 1, ("raw",)),
    Tool("ansible -m command", "with_ansible", (200, 0), 1, ("command",)),
    Tool("ansible-playbook", "with_ansible", (0, 200), 1, ("playbook",)),
)

#: Asked first and not counted: hosts that nobody asked for a while are slow once.
_WARMING = Tool("", "with_asyncssh", (1000, 1000))


def measure_peers(sizes: dict[str, list[int]], rounds: int, tools: list[str]) -> Iterator[str]:
    """Lines of the tables as they come. `tools`: parts of the names of those to be asked; all when empty. Raises
    CommandError for a part that is in no name."""
    names = [PRODUCT, *(tool.name for tool in TOOLS)]
    for part in tools:
        if not any(_is_wanted(name, [part]) for name in names):
            raise CommandError(f"no tool is named like {part!r}; there are: {'; '.join(names)}")
    python = peers_python(settings.GUARDIA_HOME / "peers")
    yield f"{versions(python)}; medians of up to {rounds} rounds, in alternation; host keys verified by all"
    for work, hosts in sizes.items():
        if hosts:
            yield from _measure(work, sorted(hosts), rounds, tools, python)


def _measure(work: str, sizes: list[int], rounds: int, wanted: list[str], python: Path) -> Iterator[str]:
    specs = [
        replace(spec, hostname=spec.hostname.replace("bench", f"peers-{work.lower()}"), has_service=False)
        for spec in with_free_ports(many_hosts(max(sizes)))
    ]
    artefact = _stored_artefact()
    with Fleet(settings.GUARDIA_HOME / f"fleet-{work}", specs) as fleet, Product(fleet, work) as product:
        hosts = [_host(fleet, access) for access in fleet.inventory()]
        for host in hosts if work == "B" else []:
            subprocess.run([f"{host['app']}/bin/startup.sh"], env={MARKER: str(fleet.home), **os.environ}, check=True)
        for size in sizes:
            taken: dict[str, list[Taken]] = defaultdict(list)
            job = {"work": work, "hosts": hosts[:size], "artefact": str(artefact)}
            with _told_when_failing("warming"):
                _one(_WARMING, python, job)
            for number in range(rounds):
                for tool in _asked(work, size, number, wanted):
                    with _told_when_failing(tool.name):
                        taken[tool.name].append(_with_hosts(fleet, partial(_one, tool, python, job)))
                if _is_wanted(PRODUCT, wanted):
                    with _told_when_failing(PRODUCT):
                        taken[PRODUCT].append(_with_hosts(fleet, partial(product.measure, size)))
            yield from _table(work, size, taken)


@contextmanager
def _told_when_failing(name: str) -> Iterator[None]:
    """A tool that fails once has a round less in the table; its words go to standard error."""
    try:
        yield
    except RuntimeError as error:
        print(f"{name}: {error}", file=sys.stderr)


def _with_hosts(fleet: Fleet, measure: Callable[[], Taken]) -> Taken:
    assert fleet.pid is not None
    before = spent(family_of(fleet.pid))
    taken = measure()
    return replace(taken, all_cpu=(taken.all_cpu or taken.cpu) + spent(family_of(fleet.pid)) - before)


def _asked(work: str, size: int, number: int, wanted: list[str]) -> list[Tool]:
    """Those that do this work on so many hosts, another one first in each round; the slow ones less often."""
    asked = [tool for tool in TOOLS if number < tool.rounds and _is_wanted(tool.name, wanted)]
    asked = [tool for tool in asked if size <= tool.most[work == "B"]]
    return [*asked[number:], *asked[:number]]


def _is_wanted(name: str, wanted: list[str]) -> bool:
    return not wanted or any(part.lower() in name.lower() for part in wanted)


def _one(tool: Tool, python: Path, job: dict[str, Any]) -> Taken:
    interpreter = Path(sys.executable) if tool.name == ENGINE else python
    named = {**job, "name": f"bench-{os.getpid()}-{next(_numbers)}"}
    return run_tool(interpreter, tool.script, list(tool.options), named, _PATIENCE_SECONDS)


def _table(work: str, size: int, taken: dict[str, list[Taken]]) -> Iterator[str]:
    what = "connect and run `true`" if work == "A" else "eight steps of a deployment"
    rates = {name: size / statistics.median(one.seconds for one in runs) for name, runs in taken.items() if runs}
    yield f"\n{work}, {what}, {size} hosts, load {os.getloadavg()[0]:.1f}\n"
    yield "| tool | hosts/s | engine is × | product is × | CPU ms per host: tool / with hosts | memory MiB | runs |"
    yield "|---|---|---|---|---|---|---|"
    for name, rate in sorted(rates.items(), key=lambda item: -item[1]):
        runs = taken[name]
        ratios = [f"{rates[ours] / rate:.2f}" if ours in rates else "–" for ours in (ENGINE, PRODUCT)]
        cpu = statistics.median(one.cpu for one in runs) / size * 1e3
        all_cpu = statistics.median(one.all_cpu for one in runs) / size * 1e3
        memory, times = max(one.memory for one in runs), f"{cpu:.0f} / {all_cpu:.0f}"
        yield f"| {name} | {rate:.1f} | {' | '.join(ratios)} | {times} | {memory:.0f} | {len(runs)} |"


def _stored_artefact() -> Path:
    """1 MiB in the store of this home, where the engine looks for it by its digest."""
    made = build_artefact(settings.GUARDIA_HOME / "bench.war", "3.0.0", size=1 << 20)
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    stored = Path(settings.GUARDIA_ARTEFACTS) / digest[:2] / digest
    stored.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(made, stored)
    return stored


def _host(fleet: Fleet, access: HostAccess) -> dict[str, Any]:
    tree = fleet.tree(next(spec for spec in fleet.hosts if spec.hostname == access.hostname))
    known = tree.ssh / "known_hosts"
    known.write_text(f"[{access.address}]:{access.port} {access.host_key}\n", encoding="ascii")
    host = Host(
        name=access.hostname,
        address=access.address,
        port=access.port,
        user=access.username,
        key=str(tree.ssh / "account_key"),
        known=str(known),
        host_key=access.host_key,
        root=str(tree.root),
        app=str(tree.app),
        http_port=access.http_port,
    )
    for name, text in host.scripts.items():
        (tree.app / "bin" / name).write_text(text, encoding="ascii")
        (tree.app / "bin" / name).chmod(0o755)
    shutil.copy(Path(__file__).parent / "service.pl", tree.app / "lib" / "service.pl")
    return asdict(host)
