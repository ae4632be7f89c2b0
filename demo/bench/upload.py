"""One large artefact: the connector beside OpenSSH's `sftp`, and what it costs in memory to send it to many hosts."""

import multiprocessing
import os
import resource
import statistics
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from demo.fleet import Fleet, HostAccess, many_hosts, with_free_ports
from execution.ssh.connection import connect
from execution.ssh.target import Secret, Target

_LARGE, _MANY, _SMALL, _HOSTS, _ROUNDS = 256, 64, 1, 50, 3  # MiB, MiB, MiB
_SECONDS = 600


def measure_upload() -> Iterator[tuple[str, str, str]]:
    """(figure, asked for, measured), as they come."""
    with Fleet(settings.GUARDIA_HOME / "fleet-upload", with_free_ports(many_hosts(_HOSTS))) as fleet:
        hosts = [(host, str(_folder(fleet, host))) for host in fleet.inventory()]
        yield from _beside_sftp(*hosts[0], _file(_LARGE))
        peaks = {size: _in_a_process(hosts, _file(size)) for size in (_SMALL, _MANY)}
        small, many = peaks[_SMALL], peaks[_MANY]
        yield (
            f"memory, {_HOSTS} hosts at once: {_SMALL} MiB → {_MANY} MiB each",
            "flat",
            f"{small:.0f} → {many:.0f} MiB",
        )


def _beside_sftp(host: HostAccess, folder: str, file: Path) -> Iterator[tuple[str, str, str]]:
    ours, theirs = [], []
    for _round in range(_ROUNDS):
        theirs.append(_sftp(host, folder, file))
        ours.append(_seconds(host, folder, file))
    sftp, guardia = statistics.median(theirs), statistics.median(ours)
    yield f"{_LARGE} MiB to one host: sftp; connector", "", f"{sftp:.2f} s; {guardia:.2f} s"
    yield "ratio of their rates: connector / sftp", "≥ 0.6", f"{sftp / guardia:.2f}"


def _seconds(host: HostAccess, folder: str, file: Path) -> float:
    started = time.monotonic()
    _send(host, folder, file)
    return time.monotonic() - started


def _send(host: HostAccess, folder: str, file: Path) -> None:
    target = Target(host.hostname, host.address, host.port, host.username, (host.host_key,))
    there = f"{folder}/bench-upload"
    with (
        connect(target, Secret(host.credential_kind, host.credential_secret), deadline=60) as connection,
        file.open("rb") as source,
    ):
        connection.upload(source, there, size=file.stat().st_size, deadline=_SECONDS)
    with suppress(FileNotFoundError):
        Path(there).unlink()  # the host is a folder of this machine


def _sftp(host: HostAccess, folder: str, file: Path) -> float:
    """Seconds of OpenSSH's own client, which checks the host's key and asks no agent."""
    home = settings.GUARDIA_HOME
    known, key = home / "bench-known-hosts", home / "bench-key"
    known.write_text(f"[{host.address}]:{host.port} {host.host_key}\n", encoding="ascii")
    key.touch(mode=0o600)
    key.write_text(host.credential_secret, encoding="ascii")
    options = [f"UserKnownHostsFile={known}", f"IdentityFile={key}", "IdentitiesOnly=yes", "BatchMode=yes"]
    command = ["sftp", "-q", "-F", "none", "-P", str(host.port), "-b", "-"]
    command += [part for option in options for part in ("-o", option)]
    started = time.monotonic()
    lines = f"put {file} {folder}/bench-upload\nrm {folder}/bench-upload\n"
    subprocess.run(
        [*command, f"{host.username}@{host.address}"],
        input=lines,
        text=True,
        check=True,
        capture_output=True,
        timeout=_SECONDS,
    )
    key.unlink()
    return time.monotonic() - started


def _in_a_process(hosts: list[tuple[HostAccess, str]], file: Path) -> float:
    """The highest memory (RSS, MiB) of a process that sends the file to all hosts at once."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_to_all, hosts, file).result(_SECONDS)


def _to_all(hosts: list[tuple[HostAccess, str]], file: Path) -> float:
    with ThreadPoolExecutor(len(hosts)) as pool:
        for _done in pool.map(lambda one: _send(one[0], one[1], file), hosts):
            continue
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _folder(fleet: Fleet, host: HostAccess) -> Path:
    return fleet.tree(next(spec for spec in fleet.hosts if spec.hostname == host.hostname)).root


def _file(mib: int) -> Path:
    """So many MiB that no compression makes smaller."""
    path = Path(settings.GUARDIA_HOME) / f"bench-{mib}-mib"
    with path.open("wb") as target:
        for _piece in range(mib):
            target.write(os.urandom(1 << 20))
    return path
