"""Every kind of work on real hosts, from the plan through approvals, the gate and SSH to what is there afterwards.

One fleet for all of them; each takes one host.
"""

import io
import os
import socket
import ssl
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.certificates import make_certificate
from execution.models import Run, StepResult
from execution.playbooks.publish import SHIPPED, publish_playbook
from tests.execution.fleet_tenant import FleetTenant, assert_consistent, statuses
from tests.factories import approve, pending_step
from tests.queue import run_queue
from tickets.models import OpsTask


class OneHost(FleetTenant):
    """The first host of the fleet, and work of any kind on it."""

    def __init__(self, fleet: Any) -> None:
        super().__init__(fleet, count=1)
        self.home = Path(self.servers[0].home_dir)

    def work(self, sub_type: str, *, content: bytes = b"file", **params: Any) -> Run:
        """From the request to the end of its run, approved by whoever is asked."""
        task = self.file(content=content)
        OpsTask.objects.filter(pk=task.pk).update(sub_type=sub_type, params=params)
        run_queue()
        for _ in range(4):
            task = OpsTask.objects.get(pk=task.pk)
            if task.status != "PEN":
                break
            plan = task.plans.first()
            step = pending_step(task)
            assert plan is not None and step.approver is not None
            approve(task, plan, step.asked_person)
        run_queue()
        run = Run.objects.filter(task=task).first()
        assert run is not None, OpsTask.objects.get(pk=task.pk).reason
        assert_consistent(run)
        return run

    def output(self, run: Run) -> str:
        return "\n".join(StepResult.objects.filter(host_run__wave__run=run).values_list("output", flat=True))


@pytest.fixture
def one(transactional_db: None, hosts: Any, in_english: None) -> OneHost:
    return OneHost(hosts)


def good(run: Run) -> bool:
    assert run.status == "SUCCEEDED", (run.reason, statuses(run))
    return True


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def test_static_files_are_synchronised(one: OneHost) -> None:
    www = one.home / "www"
    (www / "old.html").write_text("old")
    run = one.work("STATIC_SYNC", content=zipped({"old.html": "new", "공지/첨부 1.txt": "file"}), root=str(www))
    assert good(run)
    assert (www / "old.html").read_text() == "new" and (www / "공지" / "첨부 1.txt").read_text() == "file"
    assert not list((one.home / "incoming").iterdir())
    assert run.plan.content["artefacts"][0]["files"] == 2


def test_static_files_come_back_when_the_service_is_not_well_afterwards(one: OneHost) -> None:
    www = one.home / "www"
    (www / "old.html").write_text("old")
    one.profile.health_path = "/nothing-here"
    one.profile.save()
    run = one.work("STATIC_SYNC", content=zipped({"old.html": "new", "new.html": "x"}), root=str(www))
    assert run.status == "MANUAL"  # the way back is done, but the service still doesn't answer as the profile says
    assert (www / "old.html").read_text() == "old" and not (www / "new.html").exists()


def test_a_code_fix_is_rolled_out_like_any_artefact(one: OneHost) -> None:
    OpsTask.objects.all()
    run = one.deploy("2.4.0")
    assert good(run) and one.states()[next(iter(one.hosts))].version == "2.4.0"
    assert "code-fix" in (SHIPPED / "code_fix.yaml").read_text()


def test_a_server_is_rebooted_and_waited_for(one: OneHost) -> None:
    boot = one.home / "ssh" / "boot_id"
    boot.write_text("1111-1111")
    source = (SHIPPED / "server_reboot.yaml").read_text().replace("version: 2", "version: 1001")
    publish_playbook(
        actor="test",
        source=source.replace(
            '{seconds: "${params.patience}"}', '{seconds: "${params.patience}", boot_id: "${home}/ssh/boot_id"}'
        ),
    )
    before = one.states()
    run = one.work("SERVER_REBOOT", patience="1m")
    assert good(run)
    assert boot.read_text() != "1111-1111"
    assert (one.home / "ssh" / "reboots").read_text().split()[:2] == ["reboot", "-r"]
    after = one.states()
    assert {host.pid for host in after.values()} != {host.pid for host in before.values()}


class TlsServer:
    """Serves whatever certificate lies in the files, read anew for each connection."""

    def __init__(self, address: str, certificate: Path, key: Path) -> None:
        self.files = (certificate, key)
        self.listener = socket.create_server((address, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            try:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*self.files)
                context.wrap_socket(peer, server_side=True).close()
            except (OSError, ssl.SSLError):
                peer.close()


@pytest.fixture
def tls(one: OneHost) -> Iterator[TlsServer]:
    folder = one.home / "app" / "conf"
    for name, content in zip(("site.pem", "site.key"), make_certificate(["old.example.go.kr"]), strict=True):
        (folder / name).write_bytes(content)
    server = TlsServer(one.servers[0].address, folder / "site.pem", folder / "site.key")
    yield server
    server.listener.close()


def replace_certificate(one: OneHost, tls: TlsServer, content: bytes, key: bytes, **params: Any) -> Run:
    tls.files[1].write_bytes(key)
    return one.work(
        "SSL_REPLACE",
        content=content,
        domain="www.example.go.kr",
        certificate_path=str(tls.files[0]),
        key_path=str(tls.files[1]),
        tls_port=tls.port,
        **params,
    )


def test_a_certificate_is_replaced_and_seen_in_a_handshake(one: OneHost, tls: TlsServer) -> None:
    certificate, key = make_certificate(["www.example.go.kr"])
    run = replace_certificate(one, tls, certificate, key)
    assert good(run) and tls.files[0].read_bytes() == certificate
    assert "-s reload" in (one.home / "ssh" / "nginx").read_text()


def test_a_certificate_for_another_key_is_never_installed(one: OneHost, tls: TlsServer) -> None:
    before = tls.files[0].read_bytes()
    certificate, _key = make_certificate(["www.example.go.kr"])
    run = replace_certificate(one, tls, certificate, tls.files[1].read_bytes())
    assert run.status == "ROLLED_BACK" and tls.files[0].read_bytes() == before
    assert "another certificate" in one.output(run)


def test_a_port_is_opened_now_and_for_later(one: OneHost) -> None:
    assert good(one.work("PORT_OPEN", port=8443, protocol="TCP", src="10.1.2.3/24"))
    for when in ("runtime", "permanent"):
        assert 'source address="10.1.2.0/24" port port="8443"' in (one.home / "ssh" / f"firewall.{when}").read_text()


def test_a_cron_job_is_set(one: OneHost) -> None:
    (one.home / "ssh" / "crontab").write_text("1 1 * * * /theirs\n")
    run = one.work("CRON_EDIT", cron="0 3 * * *", job="/srv/batch.sh 'a b'", name="nightly")
    assert good(run)
    text = (one.home / "ssh" / "crontab").read_text()
    assert text == "1 1 * * * /theirs\n# guardia:nightly\n0 3 * * * /srv/batch.sh 'a b'\n"


def test_a_setting_is_changed(one: OneHost) -> None:
    file = one.home / "app" / "conf" / "a b.properties"
    file.write_text("maxThreads=200\nport=1\n")
    assert good(one.work("CONFIG_CHANGE", path=str(file), key="maxThreads", value="400"))
    assert file.read_text() == "maxThreads=400\nport=1\n"


def test_logs_and_disks_are_cleaned_into_the_trash(one: OneHost) -> None:
    logs = one.home / "app" / "logs"
    old = logs / "old 'x'\n.log"
    old.write_text("x" * 100)
    then = time.time() - 40 * 86_400
    os.utime(old, (then, then))
    run = one.work("LOG_CLEAN", older_than_days=30)
    assert good(run) and not old.exists()
    assert "1 files, 100 bytes" in one.output(run)
    assert len(list(logs.glob("catalina.out.OPS-*.gz"))) == 1
    (trashed,) = (one.home / "app" / "backup" / "trash").rglob("old*")
    assert trashed.read_text() == "x" * 100
    left = one.home / "incoming" / "left.tmp"
    left.write_text("y")
    os.utime(left, (then, then))
    assert good(one.work("DISK_CLEAN", older_than_days=30)) and not left.exists()
    outside = one.work("DISK_CLEAN", folder="/etc")
    assert outside.status == "ROLLED_BACK" and "outside of the folders" in one.output(outside)


LOOKS = {
    "LOG_ANALYSIS": ({"keyword": "startup"}, "startup: "),
    "MEMORY_CHECK": ({}, "available"),
    "PROCESS_CHECK": ({}, "was.py"),
    "SECURITY_CHECK": ({}, "listening ports:"),
    "ACCOUNT_CHECK": ({}, "root 0"),
    "HEALTH_CHECK": ({}, "HTTP 200"),
    "BACKUP": ({}, "SHA-256"),
}


def test_inspections_and_back_ups_leave_their_report(one: OneHost) -> None:
    for sub_type, (params, word) in LOOKS.items():
        run = one.work(sub_type, **params)
        assert good(run)
        assert word in one.output(run), (sub_type, one.output(run))
    assert len(list((one.home / "app" / "backup").glob("*.tar.gz"))) == 1


CUSTOM = """name: custom
version: 1002
sub_type: LOG_ANALYSIS
needs: []
strategy: {batches: ["100%"]}
steps:
  - hook: {argv: [touch, "${home}/www/out"], back: [rm, "-f", "${home}/www/out"], done: [test, "-e", "${home}/www/out"]}
  - script: {language: python, text: "import sys; open(sys.argv[1], 'w').write('x')", arguments: ["${home}/www/py"],
             undo: "import os, sys; os.remove(sys.argv[1])"}
  - stop: {escalate: kill, shutdown: "true", startup: "${path.startup_script}", pid_file: "${path.pid_file}",
           log_file: "${path.log_file}", seconds: 1, start_seconds: 15}
  - start: {startup: "${path.startup_script}", shutdown: "${path.shutdown_script}", pid_file: "${path.pid_file}",
            log_file: "${path.log_file}", seconds: 15, stop_seconds: 5}
  - log_scan: {log_file: "${path.log_file}", ready: "${profile.log_ready}", broken: ["${profile.log_broken}"]}
  - http_check: {port: "${port}", path: "${profile.health_path}", within_ms: 5000, contains: "\\"UP\\""}
  - script: {language: shell, text: "exit 7"}
"""


def test_hooks_scripts_and_an_escalated_stop_are_undone_when_a_later_step_fails(one: OneHost) -> None:
    publish_playbook(actor="test", source=CUSTOM)
    before = one.states()
    run = one.work("LOG_ANALYSIS")
    assert run.status == "ROLLED_BACK", (run.reason, one.output(run))
    assert "TERM to" in one.output(run)
    assert not (one.home / "www" / "out").exists() and not (one.home / "www" / "py").exists()
    after = one.states()
    name = next(iter(one.hosts))
    assert after[name].status == 200 and after[name].pid != before[name].pid


def test_the_engine_knows_what_to_say_when_the_body_is_wrong(one: OneHost) -> None:
    publish_playbook(actor="test", source=CUSTOM.replace('\\"UP\\"', "DOWN").replace("1002", "1003"))
    run = one.work("LOG_ANALYSIS")
    assert run.status in ("ROLLED_BACK", "MANUAL")
    assert StepResult.objects.filter(name="http_check", status="FAILED").exists(), one.output(run)
