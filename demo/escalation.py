"""The owner is away, the deputy doesn't answer, the supervisor approves; then the requester takes the task back."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils.timezone import localtime

from demo.artefacts import build_artefact
from demo.main_job import REQUEST, Cast
from demo.report import Report

VERSION = "2.3.0"
_PATIENCE = 40.0


class Escalation:
    def __init__(self, cast: Cast, folder: Path, report: Report) -> None:
        self.cast, self.folder, self.report = cast, folder, report

    def run(self) -> None:
        check, cast = self.report.check, self.cast
        self.report.scene("The owner is away, and the deputy doesn't answer (a minute of the deadline lasts a second)")
        self._leave()
        task = self._file()
        step = self._wait(task, lambda step: step["status"] == "PENDING")
        asked = (step["original_owner"], step["approver"], step["escalation_level"])
        check("the deputy is asked at once", asked == ("lee.lead", "choi.deputy", 1), asked)
        check("and told in whose place", "이팀장" in cast.deputy.page("/messages/").text)
        started = time.monotonic()
        step = self._wait(task, lambda step: step["escalation_level"] == 2)
        waited = time.monotonic() - started
        check(f"after {waited:.0f} s of silence the supervisor is asked", step["approver"] == "kang.head", step)
        told = cast.supervisor.page("/messages/").text
        check("marked urgent", task in told and ("긴급" in told or "Urgent" in told), told)
        answer = cast.deputy.decide(task, step["plan_digest"])
        check(
            f"the deputy is too late ({answer.status_code})", answer.json().get("code") == "not_your_turn", answer.text
        )
        answer = cast.supervisor.decide(task, step["plan_digest"])
        check("the supervisor approves", answer.status_code == 200, answer.text)
        self._take_back(task)

    def _leave(self) -> None:
        """The owner enters an absence in the portal; the fields are as a browser sends them."""
        now = localtime()
        page = self.cast.owner.submit(
            "/absence/",
            starts_at=f"{now - timedelta(minutes=1):%Y-%m-%dT%H:%M}",
            ends_at=f"{now + timedelta(days=1):%Y-%m-%dT%H:%M}",
            reason="연가",
        )
        self.report.check("the owner enters an absence", page.status_code == 200, page.status_code)

    def _file(self) -> str:
        artefact = build_artefact(self.folder / f"budget-{VERSION}.war", VERSION, broken=False, size=1 << 16)
        answer = self.cast.site.file(REQUEST.format(version=VERSION), artefact)
        self.report.check("the request was accepted (201)", answer.status_code == 201, answer.text)
        return str(answer.json()["task_id"])

    def _take_back(self, task: str) -> None:
        check = self.report.check
        self.cast.site.submit(f"/tasks/{task}/withdraw/", words="시연을 마칩니다")
        status = self._history(task)["task"]["status"]
        check("the requester withdraws the request before it runs: WDR", status == "WDR", status)
        check("and the PM, who was next, is told", task in self.cast.pm.page("/messages/").text)

    def _history(self, task: str) -> dict[str, Any]:
        answer = self.cast.supervisor.get(f"/api/v1/task/history/{task}")
        answer.raise_for_status()
        return answer.json()  # type: ignore[no-any-return]  # JSON, as the schema says

    def _wait(self, task: str, until: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The first step of the task, once it is so. Raises TimeoutError."""
        ends = time.monotonic() + _PATIENCE
        while time.monotonic() < ends:
            steps = self._history(task)["approvals"]
            if steps and until(steps[0]):
                return steps[0]  # type: ignore[no-any-return]  # JSON, as the schema says
            time.sleep(0.2)
        raise TimeoutError(f"the first step of {task} did not come so far: {steps}")
