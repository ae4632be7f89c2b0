"""SSH peers that misbehave, for tests of the SSH engine.

::

    with hostile("hang_exec") as peer:
        address, port = peer

| kind | what it does |
|---|---|
| `down` | refuses connections; the port stays reserved |
| `hang_banner` | accepts and never speaks |
| `drip_banner` | sends its banner a byte each second |
| `hang_kex` | sends its banner, then nothing |
| `changed_key` | a working server with another key than `peer.host_key` says |
| `wrong_password` | refuses every credential |
| `hang_auth` | never answers a credential |
| `hang_exec` | logs in and never answers the request to run a command |
| `hang_output` | accepts the command and never says anything more |
| `drip` | accepts the command and sends a byte of output each second, for ever |
| `flood` | accepts the command and fills both streams, `FLOOD_BYTES` in all |
| `no_exit_code` | prints a line and closes without an exit status |
| `hang_sftp` | accepts the SFTP subsystem and never answers in it |
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

from demo.fleet.errors import FleetError
from demo.fleet.hostile_raw import RawKind, reserve_port, serve_raw
from demo.fleet.hostile_ssh import FLOOD_BYTES, Peer, SshKind, new_peer, serve_ssh

__all__ = ["FLOOD_BYTES", "KINDS", "Peer", "hostile"]

KINDS: tuple[str, ...] = ("down", *get_args(RawKind), *get_args(SshKind))
_SECONDS = 10.0  # to start, and to end


@contextmanager
def hostile(kind: str, address: str = "127.0.0.1") -> Iterator[Peer]:
    """A peer of that `kind` on a free port of `address` while the context lasts; unpacks to (address, port)."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    if kind == "down":
        with reserve_port(address) as port:
            yield new_peer(kind, address, port)
        return
    server = _Server(kind, address)
    server.start()
    try:
        yield server.peer
    finally:
        server.stop()


class _Server:
    """One peer in an event loop of its own, in a thread."""

    def __init__(self, kind: str, address: str) -> None:
        self._kind, self._address = kind, address
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name=f"hostile-{kind}", daemon=True)

    def start(self) -> None:
        self._thread.start()
        if not self._ready.wait(_SECONDS):
            raise FleetError(f"the hostile peer {self._kind} did not start")

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_SECONDS)
        if self._thread.is_alive():
            raise FleetError(f"the hostile peer {self._kind} did not end")

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        serve = serve_raw if self._kind in get_args(RawKind) else serve_ssh
        async with serve(self._kind, self._address) as self.peer:
            self._ready.set()
            await self._stop.wait()
