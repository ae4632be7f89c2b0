"""Hostile peers below SSH: what goes wrong before any key is exchanged."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Literal

from demo.fleet.hostile_ssh import Peer, new_peer

RawKind = Literal["hang_banner", "drip_banner", "hang_kex"]

_BANNER = b"SSH-2.0-OpenSSH_9.2p1\r\n"


@contextmanager
def reserve_port(address: str) -> Iterator[int]:
    """A port that refuses connections and that nobody else can take meanwhile: bound, not listening."""
    with socket.socket() as holder:
        holder.bind((address, 0))
        yield int(holder.getsockname()[1])


@asynccontextmanager
async def serve_raw(kind: str, address: str) -> AsyncIterator[Peer]:
    """Serve a peer of a `RawKind` on a free port of `address`."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if kind == "hang_kex":
                writer.write(_BANNER)
            if kind == "drip_banner":
                await _drip(writer)
            while await reader.read(65536):
                continue  # take whatever comes, answer nothing, until the client leaves
        except ConnectionError:
            return  # the client left the hard way
        finally:
            writer.close()

    server = await asyncio.start_server(talk, address, 0)
    try:
        yield new_peer(kind, address, server.sockets[0].getsockname()[1])
    finally:
        server.close()


async def _drip(writer: asyncio.StreamWriter) -> None:
    for byte in _BANNER:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)
