"""`python -m demo.fleet run --home DIR [--count N]`: the fleet in the foreground until Ctrl-C."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from demo.fleet.backends import choose_backend
from demo.fleet.errors import FleetError
from demo.fleet.fleet import FIRST_VERSION, READY
from demo.fleet.hosts import HostSpec, load_hosts, many_hosts, read_hosts, with_free_ports
from demo.fleet.runner import run_fleet


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the fleet; exit code 0 after a stop, 1 with a line that says why when it couldn't start."""
    options = _parser().parse_args(arguments)
    began = time.monotonic()
    try:
        backend = choose_backend(options.backend)
        hosts = _hosts(options)

        def ready() -> None:
            print(f"{READY}: {len(hosts)} hosts by {backend} in {time.monotonic() - began:.1f} s", flush=True)

        home = options.home.resolve()
        run_fleet(home, hosts, backend, version=options.version, parent=options.parent, on_ready=ready)
    except FleetError as error:
        print(f"fleet failed: {error}", flush=True)
        return 1
    return 0


def _hosts(options: argparse.Namespace) -> list[HostSpec]:
    if options.hosts:
        return read_hosts(options.hosts)
    hosts = many_hosts(options.count) if options.count else load_hosts()
    return with_free_ports(hosts) if options.free_ports else hosts


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo.fleet")
    run = parser.add_subparsers(required=True).add_parser("run", help="serve the fleet until Ctrl-C")
    run.add_argument("--home", type=Path, required=True, help="where the hosts' files are kept")
    run.add_argument("--count", type=int, default=0, help="that many hosts for a benchmark instead of the twelve")
    run.add_argument("--hosts", type=Path, help="a JSON file of hosts instead")
    run.add_argument("--backend", choices=["auto", "openssh", "asyncssh"], default="auto")
    run.add_argument("--version", default=FIRST_VERSION, help="deployed where nothing is yet")
    run.add_argument("--free-ports", action="store_true", help="move all hosts to the next free ports")
    run.add_argument("--parent", type=int, default=0, help="end with the process of this id")
    return parser


if __name__ == "__main__":
    sys.exit(main())
