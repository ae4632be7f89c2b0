"""Starting and ending the fleet: nothing stays behind, whoever is killed."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
from fleet_tools import health, log_in, own_hosts, until

from demo.fleet import Fleet, FleetError, HostAccess, PortTaken
from demo.fleet.backends import BackendChoice, choose_backend, find_sshd
from demo.fleet.hosts import taken_ports, write_hosts
from demo.fleet.processes import end_leftovers, marked
from demo.fleet.runner import run_fleet

REPOSITORY = Path(__file__).resolve().parents[2]
both_backends = pytest.mark.parametrize(
    "backend",
    [
        pytest.param("openssh", marks=pytest.mark.skipif(find_sshd() is None, reason="OpenSSH is not installed")),
        "asyncssh",
    ],
)

# A caller that starts a fleet, says so, and waits to be killed.
CALLER = """
import sys, time
from pathlib import Path
from demo.fleet import Fleet
from demo.fleet.hosts import read_hosts
fleet = Fleet(Path(sys.argv[1]), read_hosts(Path(sys.argv[2])), backend=sys.argv[3])
fleet.start()
print(fleet.pid, flush=True)
time.sleep(120)
"""


def family(runner: int) -> list[psutil.Process]:
    """The runner and every process below it: the services are there because it adopts them."""
    process = psutil.Process(runner)
    return [process, *process.children(recursive=True)]


def all_gone(processes: list[psutil.Process]) -> bool:
    return not any(is_alive(process) for process in processes)


def is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def start_command(fleet: Fleet, host: HostAccess) -> None:
    """Leave a command running on the host, in a session whose client stays."""
    client = log_in(host)
    client.exec_command("sleep 300")
    assert until(lambda: any(p.name() == "sleep" for p in family(fleet.pid or 0)))


@both_backends
def test_stop_ends_services_servers_and_running_commands(home: Path, backend: BackendChoice) -> None:
    fleet = Fleet(home, own_hosts(2), backend=backend)
    fleet.start()
    start_command(fleet, fleet.inventory()[0])
    processes = family(fleet.pid or 0)

    fleet.stop()
    fleet.stop()

    assert len(processes) > len(fleet.hosts)
    assert all_gone(processes)
    assert not taken_ports(fleet.hosts)
    assert not any(Path(host.pid_file).exists() for host in fleet.inventory())


@both_backends
def test_a_killed_caller_leaves_nothing(home: Path, tmp_path: Path, backend: BackendChoice) -> None:
    hosts = own_hosts(2)
    write_hosts(tmp_path / "hosts.json", hosts)
    command = [sys.executable, "-c", CALLER, str(home), str(tmp_path / "hosts.json"), backend]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout is not None
        processes = family(int(caller.stdout.readline()))

        caller.kill()

    assert len(processes) > len(hosts)
    assert until(lambda: all_gone(processes))
    assert not taken_ports(hosts)


@both_backends
def test_a_killed_runner_leaves_nothing_and_the_next_start_works(home: Path, backend: BackendChoice) -> None:
    hosts = own_hosts(2)
    with Fleet(home, hosts, backend=backend) as fleet:
        before = fleet.inventory()
        start_command(fleet, before[0])
        processes = family(fleet.pid or 0)
        services = {int(Path(host.pid_file).read_text()) for host in before}
        listeners = {p.pid for p in psutil.Process(fleet.pid).children() if p.name() == "sshd"}
        servers = [p for p in processes if p.pid in services | listeners]
        commands = [p for p in processes if p.name() == "sleep"]
        assert len(servers) >= len(hosts) and commands

        os.kill(fleet.pid or 0, signal.SIGKILL)
        assert until(lambda: all_gone(servers)), "services end with the lock, sshd with its parent"

        with Fleet(home, hosts, backend=backend) as again:
            assert all_gone(commands)
            assert again.inventory() == before, "keys and credentials stay"
            assert health(before[0])[0] == 200


def test_the_thread_that_started_it_may_end(home: Path) -> None:
    fleet = Fleet(home, own_hosts(1))
    thread = threading.Thread(target=fleet.start)
    thread.start()
    thread.join()
    try:
        assert not until(lambda: not psutil.pid_exists(fleet.pid or 0), seconds=0.5)
        assert health(fleet.inventory()[0])[0] == 200
    finally:
        fleet.stop()


def test_a_leftover_that_ignores_sigterm_is_ended(home: Path) -> None:
    stubborn = subprocess.Popen(
        ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"], env={"GUARDIA_FLEET_HOME": str(home)}
    )
    other = subprocess.Popen(["/bin/sleep", "60"], env={"GUARDIA_FLEET_HOME": str(home) + "-other"})
    try:
        assert until(lambda: stubborn.pid in marked(home))
        assert end_leftovers(home, grace=0.3) >= 1
        assert stubborn.wait(10) == -signal.SIGKILL
        assert other.poll() is None
    finally:
        for process in (stubborn, other):
            process.kill()
            process.wait()


def test_a_second_fleet_in_the_same_home_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.fleet.runner._LOCK_SECONDS", 0.2)
    with Fleet(home, own_hosts(1)) as fleet:
        with pytest.raises(FleetError, match="already runs"):
            run_fleet(home, fleet.hosts, fleet.backend, version="1", on_ready=lambda: None)
        with pytest.raises(FleetError, match="already started"):
            fleet.start()
        assert health(fleet.inventory()[0])[0] == 200


def test_a_taken_port_is_named_and_nothing_runs(home: Path, tmp_path: Path) -> None:
    with Fleet(tmp_path / "first", own_hosts(1)) as first:
        second = Fleet(home, first.hosts)
        place = f"{first.hosts[0].address}:{first.hosts[0].ssh_port} is taken"

        with pytest.raises(FleetError, match=place):
            second.start()
        with pytest.raises(PortTaken, match=place):
            run_fleet(home, first.hosts, "asyncssh", version="1", on_ready=lambda: None)

        assert second.pid is None
        assert not marked(home)


def test_a_service_that_cannot_start_stops_the_fleet_with_its_name(home: Path) -> None:
    hosts = own_hosts(2)
    blocked = Fleet(home, hosts)
    log = blocked.tree(hosts[1]).log
    log.mkdir(parents=True)

    with pytest.raises(FleetError, match=hosts[1].hostname):
        blocked.start()

    assert not marked(blocked.home)
    assert not taken_ports(hosts)


def test_the_command_line_runs_until_interrupted(home: Path) -> None:
    command = [sys.executable, "-m", "demo.fleet", "run", "--home", str(home), "--count", "2", "--free-ports"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout is not None
        assert runner.stdout.readline().startswith("fleet ready: 2 hosts by ")
        processes = family(runner.pid)
        runner.send_signal(signal.SIGINT)
        assert runner.wait(20) == 0

    assert len(processes) >= 3
    assert all_gone(processes)


def test_openssh_is_refused_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.fleet.backends.find_sshd", lambda: None)

    assert choose_backend("auto") == "asyncssh"
    with pytest.raises(FleetError, match="not installed"):
        choose_backend("openssh")
