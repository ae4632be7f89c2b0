"""The work that every tool does, and how its process tells what it took. Standard library only: it runs in the peers'
own virtual environment too.

A: connect and run `true`. B: the eight steps of a deployment, seven commands and one upload, each judged by its exit
status; the service of each host is really stopped and started.
"""

import json
import resource
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

AT_ONCE = 50
"""Hosts that a tool works on at the same time, where it doesn't decide that itself."""


_UP = """[[ $line == *'"UP"'* ]] && exit 0"""
_GONE = 'while kill -0 "$p" 2>/dev/null; do sleep 0.02; done'


@dataclass(frozen=True)
class Host:
    name: str
    address: str
    port: int
    user: str
    key: str  # the file of the private key
    known: str  # a known_hosts file with this host's line alone
    host_key: str  # "ssh-ed25519 AAAA…"
    root: str
    app: str  # a folder
    http_port: int

    @property
    def scripts(self) -> dict[str, str]:
        """What each host has in `app/bin` for its service, a small one (`service.pl`): name → text. With as few
        processes as they can be: the hosts' own work is the same for all tools and not what is compared."""
        door = f"/dev/tcp/{self.address}/{self.http_port}"
        pid = shlex.quote(f"{self.app}/run/app.pid")
        ask = f"{{ printf 'GET /health HTTP/1.0\\r\\n\\r\\n' >&3; while read -r line <&3; do {_UP}; done; }} 3<>{door}"
        service = shlex.join(["perl", f"{self.app}/lib/service.pl", self.app, self.address, str(self.http_port)])
        return {
            "startup.sh": f"#!/bin/sh\nexec {service}\n",
            "shutdown.sh": f'#!/bin/sh\nread -r p < {pid} && kill "$p"; {_GONE}\n',
            "port.sh": f"#!/bin/bash\nexec 3<>{door}\n",
            "restart.sh": f'#!/bin/sh\nread -r p < {pid} && kill "$p"; {_GONE}; exec {service}\n',
            "health.sh": f"#!/bin/bash\nfor ((i = 0; i < 100; i++)); do {ask}; sleep 0.1; done 2>/dev/null; exit 1\n",
        }


@dataclass(frozen=True)
class Job:
    work: str  # "A" or "B"
    hosts: list[Host]
    artefact: str  # a file that is named after its SHA-256
    name: str  # of this run, so that nothing of an earlier one is in the way

    def incoming(self, host: Host) -> str:
        return f"{host.root}/incoming/{self.name}.new"

    def steps(self, host: Host) -> list[str]:
        """Shell lines in order; empty for the upload."""
        if self.work == "A":
            return ["true"]
        app, new = shlex.quote(host.app), shlex.quote(self.incoming(host))
        artefact, sha256 = f"{app}/webapps/app.war", Path(self.artefact).name
        return [
            f"df -Pm -- {app} | awk 'NR == 2 {{ exit $4 < 64 }}'",
            f"{app}/bin/port.sh",
            "",
            f"echo {shlex.quote(f'{sha256}  {self.incoming(host)}')} | sha256sum -c --status",
            f"mv -T -- {artefact} {app}/backup/{self.name}.old",
            f"mv -fT -- {new} {artefact}",
            f"{app}/bin/restart.sh",
            f"{app}/bin/health.sh",
        ]


def read_job(text: str) -> Job:
    values = json.loads(text)
    return Job(values["work"], [Host(**host) for host in values["hosts"]], values["artefact"], values["name"])


def tell(do: Callable[[Job], int]) -> None:
    """Run a tool's function on the job in standard input; print seconds, hosts that are done, and processor seconds."""
    job = read_job(sys.stdin.read())
    began, spent = time.monotonic(), _spent()
    done = do(job)
    print(json.dumps({"seconds": time.monotonic() - began, "done": done, "cpu": _spent() - spent}))


def _spent() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
