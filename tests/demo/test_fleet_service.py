"""The service on a host, handled by its own scripts over SSH."""

import os
import shutil
import urllib.request
from pathlib import Path

import paramiko
import pytest
from fleet_tools import health, run, until

from demo.artefacts import build_artefact
from demo.fleet import Fleet, HostAccess


def actions(fleet: Fleet) -> list[str]:
    return [line.split()[1] for line in fleet.tree(fleet.hosts[0]).actions.read_text().splitlines()]


def restart(client: paramiko.SSHClient, host: HostAccess) -> None:
    assert run(client, host.shutdown)[0] == 0
    assert run(client, host.startup)[0] == 0


def test_it_is_up_with_its_first_version(host: HostAccess) -> None:
    status, body = health(host)

    assert (status, body["status"], body["version"]) == (200, "UP", "2.0.0")
    assert body["pid"] == int(Path(host.pid_file).read_text())
    with urllib.request.urlopen(f"http://{host.address}:{host.http_port}/") as page:
        assert b"2.0.0" in page.read()


def test_a_restart_gives_a_new_pid_and_one_line_per_act(
    fleet: Fleet, client: paramiko.SSHClient, host: HostAccess
) -> None:
    before, known = Path(host.pid_file).read_text(), len(actions(fleet))

    restart(client, host)

    after = Path(host.pid_file).read_text()
    assert after != before
    assert actions(fleet)[known:] == ["shutdown", "startup"]
    assert fleet.tree(fleet.hosts[0]).actions.read_text().splitlines()[-1].endswith(f" startup pid={after.strip()}")
    assert until(lambda: health(host)[1]["pid"] == int(after))
    log = Path(host.log_file).read_text()
    assert "Server stopped gracefully" in log
    assert "Server startup in [" in log.rpartition("Server stopped gracefully")[2]


def test_startup_refuses_while_it_runs(fleet: Fleet, client: paramiko.SSHClient, host: HostAccess) -> None:
    before = health(host)[1]

    status, _, err = run(client, host.startup)

    assert status == 1
    assert "already runs" in err
    assert health(host)[1] == before
    assert actions(fleet)[-1] == "startup-refused"


def test_of_two_startups_at_once_one_wins(client: paramiko.SSHClient, host: HostAccess) -> None:
    assert run(client, host.shutdown)[0] == 0

    out = run(client, f"({host.startup}; echo code=$?) 2>&1 & ({host.startup}; echo code=$?) 2>&1; wait")[1]

    assert out.count("code=0") == 1
    assert health(host)[1]["pid"] == int(Path(host.pid_file).read_text())


def test_shutdown_removes_the_pid_file_and_tells_a_second_one(
    fleet: Fleet, client: paramiko.SSHClient, host: HostAccess
) -> None:
    pid = int(Path(host.pid_file).read_text())

    assert run(client, host.shutdown)[0] == 0

    assert not Path(host.pid_file).exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert run(client, host.shutdown)[0] == 1
    assert actions(fleet)[-2:] == ["shutdown", "shutdown-not-running"]
    assert run(client, host.startup)[0] == 0


def test_a_killed_service_can_be_started_again(client: paramiko.SSHClient, host: HostAccess) -> None:
    pid = int(Path(host.pid_file).read_text())
    run(client, f"kill -9 {pid}")

    assert until(lambda: run(client, f"kill -0 {pid}")[0] != 0), "the zombie is reaped"
    assert run(client, host.startup)[0] == 0
    assert health(host)[0] == 200


def damage(kind: str, path: Path) -> None:
    build_artefact(path, "2.1.0", broken=kind == "descriptor")
    if kind == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    if kind == "not a zip":
        path.write_text("hello")
    if kind == "missing":
        path.unlink()


@pytest.mark.parametrize("kind", ["descriptor", "truncated", "not a zip", "missing"])
def test_a_bad_artefact_is_told_and_a_good_one_heals(
    kind: str, client: paramiko.SSHClient, host: HostAccess, tmp_path: Path
) -> None:
    artefact = Path(host.artefact)
    shutil.copy(artefact, tmp_path / "good.war")
    damage(kind, artefact)
    seen = len(Path(host.log_file).read_text())

    restart(client, host)

    status, body = health(host)
    assert (status, body["status"]) == (503, "DOWN")
    log = Path(host.log_file).read_text()[seen:]
    assert "SEVERE: deployment of [app.war] failed" in log
    assert "\n\tat org.guardia.demo." in log
    build_artefact(artefact, "2.1.0")
    restart(client, host)
    assert health(host)[1]["version"] == "2.1.0"
