"""The main job as people do it: one good deployment and one that must be rolled back, each step looked at."""

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.artefacts import build_artefact
from demo.client import Person
from demo.fleet import HostAccess
from demo.hosts import HostState, state_of
from demo.report import Report

GOOD, BROKEN = "2.1.0", "2.2.0"
REQUEST = "기재부 예산시스템 WAS 전체에 {version} 배포해 주세요"
SYSTEM = "moef-budget-was"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: the site manager, the owner, the PM of one institution, and somebody of another; then those who
    are asked when the owner is away."""

    site: Person
    owner: Person
    pm: Person
    stranger: Person
    deputy: Person
    supervisor: Person


class MainJob:
    def __init__(self, cast: Cast, hosts: list[HostAccess], folder: Path, report: Report) -> None:
        self.cast, self.folder, self.report = cast, folder, report
        self.hosts = {host.hostname: host for host in hosts}
        self.targets = sorted(name for name in self.hosts if name.startswith(SYSTEM))

    def run(self) -> None:
        self._good_deployment()
        self._broken_deployment()

    def _good_deployment(self) -> None:
        before = self._states()
        self.report.scene(f"{self.cast.site.username} files: {REQUEST.format(version=GOOD)}")
        task = self._file(GOOD, broken=False)
        digest = self._planned(task)
        self._refusals(task, digest)
        self._approve(task, digest)
        self._watch(task)
        history = self._history(task)
        check = self.report.check
        check("the task waits for validation", history["task"]["status"] == "VAL", history["task"])
        self._check_deployed(before)
        self._validate(task)

    def _broken_deployment(self) -> None:
        before = self._states()
        self.report.scene(f"The same with an artefact that is broken ({BROKEN})")
        task = self._file(BROKEN, broken=True)
        self._approve(task, self._planned(task))
        self._watch(task)
        history = self._history(task)
        check, hosts = self.report.check, {host["hostname"]: host for host in history["runs"][-1]["hosts"]}
        canary = next(name for name, host in hosts.items() if host["wave"] == 1)
        after = self._states()
        check("the task ends in ERR", history["task"]["status"] == "ERR", history["task"]["status"])
        check(f"with the reason: {history['task']['reason'][:90]}", canary in history["task"]["reason"])
        check(f"the canary {canary} was rolled back", hosts[canary]["status"] == "UNDONE", hosts[canary])
        check(f"and is healthy again with {GOOD}", (after[canary].status, after[canary].version) == (200, GOOD))
        others = [name for name in self.hosts if name != canary]
        check("nobody else was touched", all(after[name] == before[name] for name in others))
        untouched = {hosts[name]["status"] for name in hosts if name != canary}
        check("and the run says so", untouched == {"UNTOUCHED"}, untouched)
        told = self.cast.site.page("/messages/").text
        check("the requester was told", task in told)

    def _file(self, version: str, *, broken: bool) -> str:
        artefact = build_artefact(self.folder / f"budget-{version}.war", version, broken=broken, size=1 << 20)
        answer = self.cast.site.file(REQUEST.format(version=version), artefact)
        body = answer.json()
        check = self.report.check
        check("the request was accepted (201)", answer.status_code == 201, answer.text)
        parsed = (body.get("institution"), body.get("system"), body.get("sub_type"))
        check(f"and understood: {' '.join(map(str, parsed))}", parsed == ("MOEF", "MOEF-BUDGET", "WAS_ROLLING"), parsed)
        check(f"for {len(self.targets)} servers", sorted(body.get("servers", [])) == self.targets, body)
        return str(body["task_id"])

    def _planned(self, task: str) -> str:
        history = self._wait(task, lambda h: h["task"]["status"] == "PEN")
        digest = str(history["plan_digest"])
        self.report.check(f"a plan was made: {digest[:16]}…", re.fullmatch("[0-9a-f]{64}", digest) is not None, digest)
        document = self.cast.owner.page(f"/tasks/{task}/plan.json").content
        same = hashlib.sha256(document).hexdigest() == digest
        self.report.check("its digest is the SHA-256 of what the approvers can download", same)
        return digest

    def _refusals(self, task: str, digest: str) -> None:
        self.report.scene("What is refused")
        check = self.report.check
        for who, name, code in (
            (self.cast.site, "the requester can't approve", "self_approval"),
            (self.cast.pm, "the PM can't go before the owner", "not_your_turn"),
            (self.cast.stranger, "another institution doesn't even see it", "not_found"),
        ):
            answer = self._decide(who, task, digest)
            check(f"{name} ({answer.status_code})", answer.json()["code"] == code, answer.text)
        body = {"task_id": task, "decision": "APPROVE", "plan_digest": digest}
        answer = self.cast.owner.post("/api/v1/approval/process", **body)
        check("nor without showing again who they are", answer.json()["code"] == "proof_missing", answer.text)
        answer = self._decide(self.cast.owner, task, "0" * 64)
        check(
            f"nobody approves a plan they weren't shown ({answer.status_code})", answer.status_code == 409, answer.text
        )

    def _approve(self, task: str, digest: str) -> None:
        self.report.scene("Approvals")
        for who in (self.cast.owner, self.cast.pm):
            answer = self._decide(who, task, digest)
            self.report.check(f"{who.username} approves", answer.status_code == 200, answer.text)
        answer = self._decide(self.cast.owner, task, digest)
        self.report.check(f"and not twice ({answer.status_code})", answer.status_code in (403, 409), answer.text)

    def _decide(self, who: Person, task: str, digest: str) -> Any:
        return who.decide(task, digest)

    def _watch(self, task: str) -> None:
        self.report.scene("The rollout, live")
        run_pk = self._wait(task, lambda h: h["runs"])["runs"][-1]["run_id"]
        numbers = []
        for event in self.cast.owner.events(run_pk):
            self.report.event(event)
            numbers.append(event["number"])
        in_order = numbers == list(range(1, len(numbers) + 1))
        self.report.check(f"{len(numbers)} events came over the websocket, each once and in order", in_order, numbers)

    def _check_deployed(self, before: dict[str, HostState]) -> None:
        after, check = self._states(), self.report.check
        targets = [(before[name], after[name]) for name in self.targets]
        check(f"all {len(targets)} servers run {GOOD} and are healthy", all(a.version == GOOD for _, a in targets))
        check("each as a new process", all(b.pid != a.pid for b, a in targets))
        restarts = {(a.shutdowns - b.shutdowns, a.startups - b.startups) for b, a in targets}
        check("stopped and started exactly once", restarts == {(1, 1)}, restarts)
        others = [name for name in self.hosts if name not in self.targets]
        check("and no other server was touched", all(before[name] == after[name] for name in others))

    def _validate(self, task: str) -> None:
        self.report.scene("Validation")
        check = self.report.check
        package = self.cast.pm.page(f"/tasks/{task}/result.json").json()
        check("the result package names every host", len(package["hosts"]) == len(self.targets))
        health = {host["health"] for host in package["hosts"]}
        check("with its health", health == {"OK"}, health)
        self.cast.pm.submit(f"/tasks/{task}/validate/", decision="accept", comment="확인했습니다")
        check("the PM validates: COM", self._history(task)["task"]["status"] == "COM")
        check("the requester is told in the portal", task in self.cast.site.page("/messages/").text)

    def _states(self) -> dict[str, HostState]:
        return {name: state_of(host) for name, host in self.hosts.items()}

    def _history(self, task: str) -> dict[str, Any]:
        answer = self.cast.owner.get(f"/api/v1/task/history/{task}")
        answer.raise_for_status()
        return answer.json()  # type: ignore[no-any-return]  # JSON, as the schema says

    def _wait(self, task: str, until: Callable[[dict[str, Any]], Any], seconds: float = 30) -> dict[str, Any]:
        ends = time.monotonic() + seconds
        while not until(history := self._history(task)):
            if time.monotonic() > ends:
                raise TimeoutError(f"{task} stayed in {history['task']['status']}: {history['task']['reason']}")
            time.sleep(0.1)
        return history
