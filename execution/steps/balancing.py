"""Steps at the load balancer: no new requests to a node, wait for the ones under way, and back again."""

import re
from collections.abc import Sequence

from execution.steps.arguments import BadArgument, absolute, command, word
from execution.steps.ops import Op, Step, change, run, saved
from execution.steps.scripts import scripted

_PEER = re.compile(r"[A-Za-z0-9.-]{1,253}:\d{1,5}")
#: For what can't be found out: the probe never holds, so an unknown outcome goes to people.
UNKNOWABLE: list[Op] = [run("false")]
#: Seconds for an edit of nginx' file: the turn of others, nginx' own check, and its new workers.
NGINX_EDIT = 75


def drain_haproxy(*, socket: str, backend: str, server: str, seconds: int = 60) -> Step:
    """HAProxy sends the node nothing new and its sessions have ended; undone only if it had been in use before."""
    at = (check_socket(socket), word(backend), word(server))
    return change(
        "drain_haproxy",
        scripted("haproxy", "was", *at, expect={"number": True}, save="drained_before"),
        scripted("haproxy", "drain", *at),
        scripted("haproxy", "sessions", *at, expect={"equals": "0"}, seconds=seconds, pause_ms=500),
        probe=[scripted("haproxy", "state", *at, expect={"contains": "DRAIN"})],
        undo=[scripted("haproxy", "back", *at, saved("drained_before"))],
    )


def undrain_haproxy(*, socket: str, backend: str, server: str, seconds: int = 60) -> Step:
    """HAProxy uses the node again, and finds it up."""
    at = (check_socket(socket), word(backend), word(server))
    up = scripted("haproxy", "state", *at, expect={"contains": "UP"}, seconds=seconds, pause_ms=500)
    return change(
        "undrain_haproxy",
        scripted("haproxy", "ready", *at),
        up,
        probe=[up],
        undo=[scripted("haproxy", "drain", *at)],
    )


def drain_nginx(*, upstream: str, address: str, nginx: str = "nginx", seconds: int = 60) -> Step:
    """The upstream's lines of this address say `down`, nginx uses them so, and what was under way has ended."""
    at = (absolute(upstream), check_peer(address), nginx)
    quiet = scripted("nginx", "old_workers", *at, expect={"equals": "0"}, seconds=seconds, pause_ms=500)
    return change(
        "drain_nginx",
        scripted("nginx", "was", *at, expect={"number": True}, save="down_before"),
        scripted("nginx", "down", *at, seconds=NGINX_EDIT),
        quiet,
        probe=[scripted("nginx", "is", *at, "down"), quiet],
        undo=[scripted("nginx", "back", *at, saved("down_before"), seconds=NGINX_EDIT)],
    )


def undrain_nginx(*, upstream: str, address: str, nginx: str = "nginx") -> Step:
    """The upstream's lines of this address no longer say `down`; undone to how they were."""
    at = (absolute(upstream), check_peer(address), nginx)
    return change(
        "undrain_nginx",
        scripted("nginx", "was", *at, expect={"number": True}, save="used_before"),
        scripted("nginx", "up", *at, seconds=NGINX_EDIT),
        probe=[scripted("nginx", "is", *at, "up")],
        undo=[scripted("nginx", "back", *at, saved("used_before"), seconds=NGINX_EDIT)],
    )


def hook(*, argv: list[str], back: Sequence[str] = (), done: Sequence[str] = (), seconds: int = 60) -> Step:
    """A command of the institution's own (an L4 switch's, for one); `back` undoes it, `done` tells whether it holds."""
    probe = [run(*command(done), seconds=seconds)] if done else UNKNOWABLE
    undo = [run(*command(back), seconds=seconds)] if back else []
    return change("hook", run(*command(argv), seconds=seconds), probe=probe, undo=undo, is_repeatable=bool(done))


def check_socket(value: str) -> str:
    if _PEER.fullmatch(value):
        return value
    if not re.fullmatch(r"/[\w./-]+", value):
        raise BadArgument(f"“{value[:80]}” is neither a socket's path nor host:port")
    return absolute(value)


def check_peer(value: str) -> str:
    if not _PEER.fullmatch(value):
        raise BadArgument(f"“{value[:80]}” is not host:port")
    return value
