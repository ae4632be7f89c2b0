"""fabric: one connection per host for all steps, in threads; host keys in a dictionary instead of a parsed file."""

import threading
from concurrent.futures import ThreadPoolExecutor

import paramiko
from fabric import Config, Connection

from demo.bench.peers.tools.work import AT_ONCE, Host, Job, tell

THREAD = threading.local()  # a Config is no thing for several threads at once


def one(job: Job, host: Host) -> int:
    options = {"key_filename": host.key, "look_for_keys": False, "allow_agent": False}
    with Connection(host.address, host.user, host.port, config=THREAD.config, connect_kwargs=options) as line:
        line.client.set_missing_host_key_policy(paramiko.RejectPolicy())
        known = paramiko.hostkeys.HostKeyEntry.from_line(f"[{host.address}]:{host.port} {host.host_key}")
        assert known is not None and known.key is not None
        line.client.get_host_keys().add(known.hostnames[0], known.key.get_name(), known.key)
        for step in job.steps(host):
            if step:
                line.run(step, hide=True, in_stream=False)
            else:
                line.put(job.artefact, job.incoming(host))
    return 1


def run(job: Job) -> int:
    with ThreadPoolExecutor(AT_ONCE, initializer=lambda: setattr(THREAD, "config", Config(lazy=True))) as pool:
        return sum(pool.map(lambda host: one(job, host), job.hosts))


tell(run)
