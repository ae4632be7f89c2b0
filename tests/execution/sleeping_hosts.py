"""SSH hosts whose commands sleep for ever, as many as wanted, each on a port of its own, in one process of their own.

As a program (`python -m tests.execution.sleeping_hosts COUNT`) it prints the key and the ports as JSON, then the number
of open connections for each line on its input. As a module: `sleeping_hosts(count)` for the tests.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PASSWORD = "open sesame"


class SleepingHosts:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None and process.stdout is not None
        self._say, self._answers = process.stdin, process.stdout
        told = json.loads(self._answers.readline())
        self.key_line: str = told["key"]
        self.ports: list[int] = told["ports"]

    @property
    def open(self) -> int:
        """Connections that stand."""
        self._say.write("\n")
        self._say.flush()
        return int(self._answers.readline())


@contextmanager
def sleeping_hosts(count: int) -> Iterator[SleepingHosts]:
    command = [sys.executable, "-m", "tests.execution.sleeping_hosts", str(count)]
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield SleepingHosts(process)
        finally:
            process.kill()


async def _serve(count: int) -> None:
    import asyncssh

    key = asyncssh.generate_private_key("ssh-ed25519")
    connections: set[Any] = set()

    class Server(asyncssh.SSHServer):
        def connection_made(self, conn: Any) -> None:
            self._conn = conn
            connections.add(conn)

        def connection_lost(self, exc: Exception | None) -> None:
            connections.discard(self._conn)

        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return password == PASSWORD

    async def sleep(process: Any) -> None:
        await process.wait_closed()

    listening = [
        await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=Server,
            server_host_keys=[key],
            process_factory=sleep,
            encoding=None,
            login_timeout=0,
        )
        for _number in range(count)
    ]
    line = key.export_public_key().decode().strip()
    print(json.dumps({"key": line, "ports": [host.get_port() for host in listening]}), flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(len(connections), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
