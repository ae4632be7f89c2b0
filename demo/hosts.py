"""Looks at the hosts of the fleet from outside the product, to see what really happened on them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from demo.fleet import HostAccess


@dataclass(frozen=True, slots=True)
class HostState:
    """What the service says of itself (status 0: nobody answers), and how often its scripts were called."""

    status: int
    version: str
    pid: int
    startups: int
    shutdowns: int


def state_of(host: HostAccess) -> HostState:
    try:
        answer = httpx.get(f"http://{host.address}:{host.http_port}{host.health_path}", timeout=5)
    except httpx.ConnectError:  # a service that is down is a state too
        status, body = 0, dict[str, Any]()
    else:
        status, body = answer.status_code, answer.json() if answer.status_code == 200 else {}
    actions = (Path(host.app_home) / "logs" / "actions.log").read_text().splitlines()
    words = [line.split()[1] for line in actions]
    return HostState(
        status,
        body.get("version", ""),
        int(body.get("pid", 0)),
        words.count("startup"),
        words.count("shutdown"),
    )
