"""The yardstick: the connector alone, without plan, database, gate or chain, on the same hosts in the same run."""

import time
from concurrent.futures import ThreadPoolExecutor

from demo.fleet import HostAccess
from execution.ssh.connection import connect
from execution.ssh.target import Secret, Target


def connect_and_run_true(hosts: list[HostAccess], threads: int) -> float:
    """Seconds to connect to every host, run `true` and disconnect."""
    started = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        for status in pool.map(_one, hosts):
            if status != 0:
                raise RuntimeError(f"`true` ended with {status}")
    return time.monotonic() - started


def _one(host: HostAccess) -> int:
    target = Target(host.hostname, host.address, host.port, host.username, (host.host_key,))
    secret = Secret(host.credential_kind, host.credential_secret)
    with connect(target, secret, deadline=60) as connection:
        return connection.run(["true"], deadline=60).exit_status
