"""`manage.py demo`: the main job in the terminal, against real servers on loopback; exits 0 when every check holds."""

import subprocess
import sys
import threading
import time
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from audit.choices import STOPPING
from audit.models import Entry, IntegrityHold
from demo.client import Person
from demo.escalation import Escalation
from demo.fleet import Fleet
from demo.main_job import Cast, MainJob
from demo.report import Report
from demo.seed import sample_password, seed
from demo.stage import fleet_on_stage
from demo.taken_report import take_a_report
from demo.tamper import altered_entry, rewritten_chain
from guardia.embedded.ports import choose_port
from guardia.processes import HOST, PREFERRED_PORT, portal_processes, prepare

_READY_SECONDS = 60
PLAYERS = ("kim.site", "lee.lead", "park.pm", "oh.lead", "choi.deputy", "kang.head")
#: Time is sped up by the processes' own clock, not by changing data: an approval's minute lasts a second.
_CLOCK = {"GUARDIA_SLA_SECONDS_PER_MINUTE": "1", "GUARDIA_SWEEP_SECONDS": "0.5"}


class Command(BaseCommand):
    help = "Run the main job from the request to the proof, and check every step."

    def handle(self, *args: Any, **options: Any) -> None:
        report = Report()
        report.line("Preparing the database, twelve servers, the portal and a worker …")
        started = time.monotonic()
        prepare()
        log_path = settings.GUARDIA_HOME / "demo.log"
        with fleet_on_stage() as fleet, log_path.open("w") as log:
            seed(fleet.inventory())
            port = choose_port(PREFERRED_PORT, HOST)
            group = portal_processes(port, output=log, clock=_CLOCK)
            show = threading.Thread(target=_show, args=(port, fleet, report, group.request_stop), name="main job")
            show.start()
            code = group.run()
            show.join()
        report.line(f"{time.monotonic() - started:.0f} s after the set-up; logs: {log_path}")
        sys.exit(report.closing() or code)


def _show(port: int, fleet: Fleet, report: Report, stop: Any) -> None:
    """Everything that the audience sees; runs beside the supervisor, and ends it."""
    try:
        base = f"http://{HOST}:{port}"
        wait_until_ready(base)
        report.line(f"The portal is up on {base}")
        people = [Person(base, name, sample_password()) for name in PLAYERS]
        cast = Cast(*people)
        MainJob(cast, fleet.inventory(), settings.GUARDIA_HOME, report).run()
        Escalation(cast, settings.GUARDIA_HOME, report).run()
        take_a_report(Person(base, "moon.auditor", sample_password()), report)
        _prove(report)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told and counts
        report.check(f"the demonstration broke off: {type(error).__name__}: {error}", False)
    finally:
        connection.close()
        stop()


def wait_until_ready(base: str) -> None:
    """Return when the portal says that it can work; raises TimeoutError."""
    ends = time.monotonic() + _READY_SECONDS
    while time.monotonic() < ends:
        try:
            if httpx.get(f"{base}/health/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass  # it isn't listening yet
        time.sleep(0.2)
    raise TimeoutError("the portal did not come up")


def _prove(report: Report) -> None:
    report.scene("Proof")
    code, said = _manage("audit_checkpoint")
    report.check(f"a checkpoint is signed and laid outside the database: {said.splitlines()[0][:60]}", code == 0, said)
    code, said = _manage("audit_verify")
    report.check("the chain verifies (exit code 0)", code == 0, said)
    code, said = _independent()
    report.check("so it does with tools/verify_audit.py, which knows nothing of Guardia", code == 0, said)
    entry = Entry.objects.filter(action="approval.approved").select_related("chain").latest("pk")
    with altered_entry(entry.pk):
        code, said = _manage("audit_verify")
        bad = next((line for line in said.splitlines() if line.startswith("BROKEN")), said)
        report.check("one row is altered behind the program's back: exit code 1", code == 1, said)
        report.check(f"and it is named: {bad}", f"{entry.chain.key}: entry {entry.number} altered" in bad, said)
    with rewritten_chain(entry):
        for what, (code, said) in (("audit_verify", _manage("audit_verify")), ("verify_audit.py", _independent())):
            bad = next((line for line in said.splitlines() if line.startswith("BROKEN")), said)
            is_named = code == 1 and entry.chain.key in bad and "rewritten" in bad
            report.check(f"with all hashes made again it is found against the checkpoint ({what})", is_named, said)
        held = IntegrityHold.objects.filter(chain=entry.chain.key, status__in=STOPPING).exists()
        report.check("and executions of the institution are stopped", held)
    code, said = _manage("audit_verify")
    held = IntegrityHold.objects.filter(status__in=STOPPING).exists()
    report.check("restored, it verifies again, and they go on", code == 0 and not held, said)


def _manage(*arguments: str) -> tuple[int, str]:
    return _run("manage.py", *arguments)


def _independent() -> tuple[int, str]:
    """Export as an auditor does, then verify with the key and the checkpoints from outside the database."""
    home = settings.GUARDIA_HOME
    path, key = home / "export.jsonl", home / "keys" / "checkpoints" / "first.pub.pem"
    code, said = _manage("audit_export", "--as", "moon.auditor", "--reason", "demo", "--output", str(path))
    if code:
        return code, said
    return _run("tools/verify_audit.py", str(path), "--key", str(key), "--checkpoints", str(home / "checkpoints"))


def _run(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(  # noqa: S603 - our own programs
        [sys.executable, *arguments], cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout + done.stderr
