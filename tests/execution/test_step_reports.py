"""Steps that only look, by real shells: what they report, where they draw the line, and that they change nothing."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from demo.certificates import make_certificate
from execution.steps.arguments import BadArgument
from execution.steps.library import LIBRARY
from tests.execution.local_host import LocalHost, tree_of
from tests.execution.test_step_scripts import aged, host

__all__ = ["host"]


def looks(host: LocalHost, kind: str, /, **arguments: Any) -> tuple[str, str]:
    """(why it failed, output) of a step that must leave everything as it is."""
    before = tree_of(host.home)
    why = host.step(kind, **arguments).apply()
    assert tree_of(host.home) == before
    return why, host.output


def test_a_log_is_counted_and_its_frequent_lines_are_told(host: LocalHost) -> None:
    log = host.home / "a 'b'.log"
    lines = [f"12:00:0{n} SEVERE pool-{n} is $(id) `x` -e" for n in range(5)] + ["INFO fine", "SEVERE \x00\x1b[31m\xff"]
    log.write_bytes("\n".join(lines).encode("latin-1"))
    why, output = looks(host, "analyse_log", log_file=str(log), texts=["SEVERE", "-e", "$(id)", "missing"], top=1)
    assert why == ""
    assert [line for line in output.splitlines() if ": " in line][:5] == [
        "lines: 6",
        "SEVERE: 6",
        "-e: 5",
        "$(id): 5",
        "missing: 0",
    ]
    assert "5 N:N:N SEVERE pool-N" in output
    assert looks(host, "analyse_log", log_file=f"{host.home}/none")[0] == "exit status 1"


def test_the_log_since_the_start_is_scanned_across_a_rotation(host: LocalHost) -> None:
    log = host.home / "a.log"
    log.write_text("SEVERE before the start\nready\nfine\n")
    host.saved["log_position"] = str(len("SEVERE before the start\n"))
    scan = {"log_file": str(log), "ready": "ready", "broken": ["SEVERE", "OutOfMemory"], "seconds": 1}
    assert looks(host, "log_scan", **scan)[0] == ""
    log.write_text("ready\nSEVERE\n")  # rotated: shorter than it was
    assert looks(host, "log_scan", **scan)[0] == "the output contains “SEVERE”"


def test_processes_are_found_and_their_bounds_are_kept(host: LocalHost) -> None:
    if host.is_busybox:
        pytest.skip("BusyBox's ps tells neither CPU nor memory; the step fails there")
    word = f"guardia-{os.getpid()}"
    with subprocess.Popen(["sh", "-c", "sleep 60; :", word]) as process:
        try:
            pid_file = host.home / "app.pid"
            pid_file.write_text(f"{process.pid}\n")
            assert looks(host, "check_process", pid_file=str(pid_file), memory_mib=1000)[0] == ""
            assert f"{process.pid} " in host.output and "1 processes" in host.output
            assert looks(host, "check_process", words=word)[0] == ""
            assert looks(host, "check_process", words=word, at_least=2)[0] == "exit status 1"
            assert looks(host, "check_process", words=f"{word}-none")[0] == "exit status 1"  # not this step itself
        finally:
            process.kill()


def test_memory_and_disks_are_held_against_their_bounds(host: LocalHost) -> None:
    assert looks(host, "check_memory", free_mib=1)[0] == ""
    assert "available" in host.output
    assert looks(host, "check_memory", free_mib=1 << 23)[0] == "exit status 1"
    assert looks(host, "check_disk_use", percent=100)[0] == ""
    assert looks(host, "check_disk_use", percent=100, path=str(host.home))[0] == ""
    host.program(
        "df", "printf 'Filesystem 1024-blocks Used Available Capacity Mounted on\\n/dev/a 9 9 0 97%% /data\\n'"
    )
    if not host.is_busybox:  # its shell knows df itself
        assert looks(host, "check_disk_use", percent=96)[0] == "exit status 1"
        assert "/data 97% of 0 MiB  !" in host.output


def test_accounts_and_security_are_reported(host: LocalHost) -> None:
    assert looks(host, "check_accounts", inactive_days=0)[0] == ""
    assert "root 0 /root" in host.output
    app = host.home / "app"
    aged(app / "fine.txt", 1)
    assert looks(host, "check_security", path=str(app))[0] == ""
    assert "ok files anybody may write" in host.output
    aged(app / "new\nline.sh", 1).chmod(0o4777)
    aged(app / "shell.jsp", 1)
    assert looks(host, "check_security", path=str(app))[0] == ""
    for finding in ("! 1 files that anybody may write", "! 1 files with set-user-ID", "! 1 pages with code changed"):
        assert finding in host.output
    assert looks(host, "check_security", path=str(app), strict=True)[0] == "exit status 1"


def test_a_certificate_is_held_against_its_key(host: LocalHost) -> None:
    if not shutil.which("openssl"):
        pytest.skip("no openssl")
    for name, days in (("good", 90), ("short", 10)):
        certificate, key = make_certificate(["www.example.go.kr"], days=days)
        (host.home / f"{name}.pem").write_bytes(certificate)
        (host.home / f"{name}.key").write_bytes(key)

    def says(certificate: str, key: str) -> str:
        at = {"incoming": f"{host.home}/{certificate}.pem", "key": f"{host.home}/{key}.key"}
        return looks(host, "check_certificate", days=30, **at)[0]

    assert says("good", "good") == ""
    assert says("good", "short") != "" and "another certificate" in host.output
    assert says("short", "short") != ""
    assert says("good", "missing") != "" and "can't be read" in host.output
    (host.home / "junk.pem").write_text("-----BEGIN CERTIFICATE-----\njunk\n")
    assert says("junk", "good") != ""


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("clean_old", {"folder": "logs", "trash": "/t", "days": 1, "allowed": ["/a"]}),
    ("clean_old", {"folder": "/a/../etc", "trash": "/t", "days": 1, "allowed": ["/a"]}),
    ("clean_old", {"folder": "/a", "trash": "/t", "days": 1, "allowed": ["/"]}),
    ("clean_old", {"folder": "/a", "trash": "/t", "days": 1, "allowed": []}),
    ("clean_old", {"folder": "/a", "trash": "/t", "days": 0, "allowed": ["/a"]}),
    ("clean_old", {"folder": "/a", "trash": "/t", "days": 1, "allowed": ["/a"], "names": "../*"}),
    ("port_open", {"port": 70_000, "name": "n"}),
    ("port_open", {"port": 80, "name": "n", "source": "any; reboot"}),
    ("port_open", {"port": 80, "name": "a b"}),
    ("port_open", {"port": 80, "name": "n", "protocol": "icmp"}),
    ("cron_job", {"name": "n", "when": "* * * *", "job": "/x", "backup": "/b"}),
    ("cron_job", {"name": "n", "when": "* * * * *", "job": "/x\n* * * * * /evil", "backup": "/b"}),
    ("config_line", {"path": "/a", "key": "k=", "text": "k=1\nevil=1", "backup": "/b"}),
    ("drain_haproxy", {"socket": "/run/a,EXEC:sh", "backend": "b", "server": "s"}),
    ("drain_haproxy", {"socket": "/run/a", "backend": "b/s state maint; x", "server": "s"}),
    ("script", {"language": "perl", "text": "x"}),
    ("script", {"language": "shell", "text": " "}),
    ("script", {"language": "shell", "text": "x" * 20_000}),
    ("script", {"language": "batch", "text": "x", "arguments": ["a"]}),
    ("script", {"language": "shell", "text": "x", "changes": False, "undo": "y"}),
    ("reboot", {"seconds": 1}),
    ("log_scan", {"log_file": "/a"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "arguments"), REFUSED)
def test_a_step_is_not_made_from_what_it_cannot_mean(kind: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(BadArgument):
        LIBRARY[kind](**arguments)


def test_paths_are_plain() -> None:
    for path in ("/a\nb", "/a\x00", "", "a", "/" + "x" * 5000, "/a/.."):
        with pytest.raises(BadArgument):
            LIBRARY["back_up_tree"](path=path, archive="/b")
    assert Path("/a b/$(id)")  # what is odd but harmless, is allowed
    assert LIBRARY["back_up_tree"](path="/a b/$(id)", archive="/b")
