"""`python -m guardia.embedded status|stop HOME`: look at the embedded database of a home, or stop it."""

import argparse
import sys
from pathlib import Path

from guardia.embedded.postgres import EmbeddedPostgres


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m guardia.embedded", description=__doc__)
    parser.add_argument("command", choices=["status", "stop"])
    parser.add_argument("home", type=Path, help="the folder GUARDIA_HOME names")
    options = parser.parse_args(arguments)
    server = EmbeddedPostgres(options.home)
    if options.command == "stop":
        server.stop()
    status = server.status()
    sys.stdout.write(f"{status.state} postmaster={status.postmaster} guardian={status.guardian}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
