"""parallel-ssh's native client, which looks at no host keys by itself: that is added here."""

import base64

from gevent import joinall
from pssh.clients import ParallelSSHClient
from pssh.clients.native.single import SSHClient
from pssh.config import HostConfig

from demo.bench.peers.tools.work import Job, tell

KNOWN: dict[tuple[str, int], bytes] = {}


class Verifying(SSHClient):
    def _init_session(self, retries: int = 1) -> None:
        super()._init_session(retries=retries)
        key, _kind = self.session.hostkey()
        if key != KNOWN[self.host, self.port]:
            raise RuntimeError(f"another host key: {self.host}")


class Client(ParallelSSHClient):
    def _make_ssh_client(self, *args: object, **options: object) -> SSHClient:
        import pssh.clients.native.parallel as parallel

        parallel.SSHClient = Verifying
        return super()._make_ssh_client(*args, **options)


def run(job: Job) -> int:
    for host in job.hosts:
        KNOWN[host.address, host.port] = base64.b64decode(host.host_key.split()[1])
    configs = [HostConfig(user=host.user, port=host.port, private_key=host.key) for host in job.hosts]
    client = Client(
        [host.address for host in job.hosts],
        host_config=configs,
        pool_size=min(100, len(job.hosts)),
        allow_agent=False,
        identity_auth=False,
        num_retries=3,
        timeout=120,
    )
    lines = [job.steps(host) for host in job.hosts]
    for number in range(len(lines[0])):
        if not lines[0][number]:
            upload(client, job)
            continue
        outputs = client.run_command("%s", host_args=[(steps[number],) for steps in lines])
        client.join(outputs, consume_output=True)
        bad = [output.host for output in outputs if output.exit_code != 0]
        if bad:
            raise RuntimeError(f"step {number} failed on {bad[:3]}")
    return len(job.hosts)


def upload(client: ParallelSSHClient, job: Job) -> None:
    copies = [{"local_file": job.artefact, "remote_file": job.incoming(host)} for host in job.hosts]
    joinall(client.copy_file("%(local_file)s", "%(remote_file)s", copy_args=copies), raise_error=True)


tell(run)
