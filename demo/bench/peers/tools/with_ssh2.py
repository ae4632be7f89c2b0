"""ssh2-python, the C library libssh2, in threads; work A alone."""

import base64
import socket
from concurrent.futures import ThreadPoolExecutor

from ssh2.session import Session

from demo.bench.peers.tools.work import AT_ONCE, Host, Job, tell


def one(host: Host) -> int:
    with socket.create_connection((host.address, host.port), timeout=60) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = Session()
        session.handshake(line)
        key, _kind = session.hostkey()
        if key != base64.b64decode(host.host_key.split()[1]):
            raise RuntimeError(f"another host key: {host.name}")
        session.userauth_publickey_fromfile(host.user, host.key, passphrase="")
        channel = session.open_session()
        channel.execute("true")
        while channel.read()[0] > 0:
            pass
        channel.close()
        channel.wait_closed()
        status = channel.get_exit_status()
        session.disconnect()
    return int(status == 0)


def run(job: Job) -> int:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(one, job.hosts))


tell(run)
