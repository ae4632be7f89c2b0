"""asyncssh, with fast algorithms, no agent and no configuration files."""

import asyncio

import asyncssh

from demo.bench.peers.tools.work import AT_ONCE, Host, Job, tell


async def one(job: Job, host: Host, gate: asyncio.Semaphore) -> int:
    known = asyncssh.import_public_key(host.host_key)
    async with (
        gate,
        asyncssh.connect(
            host.address,
            host.port,
            username=host.user,
            client_keys=[host.key],
            known_hosts=([known], [], []),
            agent_path=None,
            config=None,
            kex_algs=["curve25519-sha256"],
            encryption_algs=["aes128-gcm@openssh.com"],
            connect_timeout=60,
        ) as line,
    ):
        for step in job.steps(host):
            if step:
                await line.run(step, check=True)
            else:
                async with line.start_sftp_client() as sftp:
                    await sftp.put(job.artefact, job.incoming(host))
    return 1


async def all_hosts(job: Job) -> int:
    gate = asyncio.Semaphore(AT_ONCE)
    return sum(await asyncio.gather(*(one(job, host, gate) for host in job.hosts)))


tell(lambda job: asyncio.run(all_hosts(job)))
