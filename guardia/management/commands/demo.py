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

from audit.models import Entry
from demo.client import Person
from demo.escalation import Escalation
from demo.fleet import Fleet
from demo.main_job import Cast, MainJob
from demo.report import Report
from demo.seed import sample_password, seed
from demo.stage import fleet_on_stage
from demo.tamper import altered_entry
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
    code, said = _verify()
    report.check("the chain verifies (exit code 0)", code == 0, said)
    entry = Entry.objects.filter(action="approval.approved").select_related("chain").latest("pk")
    with altered_entry(entry.pk):
        code, said = _verify()
        bad = next((line for line in said.splitlines() if line.startswith("BROKEN")), said)
        report.check("one row is altered behind the program's back: exit code 1", code == 1, said)
        report.check(f"and it is named: {bad}", f"{entry.chain.key}: entry {entry.number} altered" in bad, said)
    code, said = _verify()
    report.check("restored, it verifies again", code == 0, said)


def _verify() -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "manage.py", "audit_verify"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
