"""One host, reached through the gate: the operations of a plan, done on one connection.

This is the only caller of the SSH connector.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from execution.exceptions import Halted, StepFailed
from execution.facts.compare import Drift, drift_of, stops, told
from execution.facts.parse import Facts, parse_facts
from execution.gate.brake import Brake
from execution.gate.databases import ask_database
from execution.gate.doors import Admission, Visit, admit
from execution.gate.service_checks import http_answer, problem_with_answer, tcp_opens, tls_shows
from execution.models import HostRun
from execution.plan.judge import is_worse
from execution.reason_words import reason_label
from execution.ssh.connection import Connection, connect
from execution.ssh.exceptions import Cancelled, ConnectionLost, SshError
from execution.ssh.target import Secret
from execution.steps.expect import is_number, resolved, unmet
from execution.steps.known import is_short
from execution.steps.ops import Op
from execution.steps.saving import asked_by, saved_by
from execution.steps.sql.results import Found
from guardia.common.errors import GuardiaError
from guardia.common.masking import MASK, cut_short
from tickets.models.artefact import stored_path

_KEPT_OUTPUT = 16 * 1024
_BETWEEN_LOOKS = 0.2  # seconds


@dataclass(slots=True)
class Outcome:
    """What a step's operations left: the last exit status, the first part of the output, a digest over all of it."""

    exit_status: int | None = None
    output: str = ""
    sha256: str = ""
    saved: dict[str, str] = field(default_factory=dict)
    error: StepFailed | None = None
    found: Found | None = None
    facts: Facts | None = None
    drift: list[Drift] = field(default_factory=list)


class HostSession:
    """Open one with `open_session`; close it, or use it as a context manager."""

    def __init__(
        self,
        open_line: Callable[[str], tuple[Connection, Secret]],
        spec: Mapping[str, Any],
        cancel: threading.Event,
        brake: Brake,
    ) -> None:
        self._open_line, self._spec, self._cancel, self._brake = open_line, spec, cancel, brake
        self._connection, self._secret = open_line("")
        self._beside: dict[str, tuple[Connection, Secret]] = {}

    def __enter__(self) -> "HostSession":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()
        self._leave()

    def _leave(self) -> None:
        """The balancers' hosts: logged in to for one step at a time."""
        for connection, _secret in self._beside.values():
            connection.close()
        self._beside.clear()

    def _line(self, on: str) -> tuple[Connection, Secret]:
        """To the host itself, or to the balancer's host that the plan names: through the gate each time."""
        if not on:
            return self._connection, self._secret
        try:
            line = self._beside.get(on) or self._open_line(on)
        except (Halted, SshError):
            raise
        except GuardiaError as error:
            raise StepFailed(f"{on}: {error}", code=error.code) from error
        return self._beside.setdefault(on, line)

    def perform(
        self, ops: Iterable[Op], saved: Mapping[str, str], keep: Callable[[dict[str, str]], None] | None = None
    ) -> Outcome:
        """Do the operations in order. The outcome holds the StepFailed of an unmet expectation; SshError is raised,
        Cancelled among them, which says that the outcome is unknown once a command has been sent.

        `keep` is called with all saved values whenever there is a new one, before the next operation.
        """
        outcome, digest, is_begun = Outcome(saved=dict(saved)), hashlib.sha256(), False
        failed: list[str] = []
        for op in ops:
            try:
                self._brake.before_operation(is_begun=is_begun)
                self._do(op, outcome, digest)
                is_begun = is_begun or op["op"] in ("exec", "sql")
                if keep is not None and saved_by([op]):
                    keep(outcome.saved)
            except Cancelled as error:
                error.outcome_unknown = error.outcome_unknown or is_begun
                raise
            except StepFailed as error:
                if self._cancel.is_set() and op["op"] in ("tcp", "http", "tls"):
                    raise Cancelled(outcome_unknown=is_begun) from error  # a look that was cut short has seen nothing
                if op["op"] != "sql" or "label" not in op:
                    outcome.error = error
                    break
                failed.append(op["label"])
        self._leave()
        if failed and outcome.error is None:
            outcome.error = StepFailed(f"{len(failed)} failed: {', '.join(failed)}", code="check_failed")
        outcome.sha256 = digest.hexdigest()
        return outcome

    def _do(self, op: Op, outcome: Outcome, digest: Any) -> None:
        unknown = asked_by(op) - set(outcome.saved)
        if unknown:
            raise StepFailed(f"“{min(unknown)}” was never saved", code="value_missing")
        if op["op"] == "exec":
            self._exec(op, outcome, digest)
        elif op["op"] == "sql":
            self._sql(op, outcome, digest)
        elif op["op"] == "upload":
            self._upload(op)
        elif op["op"] == "tcp":
            problem = tcp_opens(self._spec["address"], op["port"], seconds=op["seconds"], cancel=self._cancel)
            _fail_if(problem)
        elif op["op"] == "http":
            self._http(op, outcome)
        elif op["op"] == "tls":
            _fail_if(tls_shows(self._spec["address"], op, cancel=self._cancel))
        elif op["op"] == "facts":
            self._facts(op, outcome, digest)
        elif op["op"] == "reconnect":
            self._reconnect(op, outcome, digest)
        else:
            raise StepFailed(f"unknown operation {op['op']}", code="unknown_op")

    def _facts(self, op: Any, outcome: Outcome, digest: Any) -> None:
        self._exec({"op": "exec", "argv": op["argv"], "expect": {}, "seconds": op["seconds"]}, outcome, digest)
        outcome.facts = parse_facts(outcome.output)
        outcome.drift = drift_of(outcome.facts, op["expects"])
        if stops(outcome.drift):
            raise StepFailed(told(outcome.drift), code="drift")

    def _sql(self, op: Any, outcome: Outcome, digest: Any) -> None:
        answer = ask_database(self._connection, op, self._spec)
        digest.update(bytes.fromhex(answer.result.sha256))
        outcome.exit_status, outcome.found = answer.result.exit_status, answer.found or outcome.found
        outcome.output = (outcome.output + self._clean(answer.said, self._secret))[:_KEPT_OUTPUT]
        _fail_if(answer.problem)

    def _http(self, op: Any, outcome: Outcome) -> None:
        address, whole = self._spec["address"], "contains" in op
        for number in range(op.get("times", 1)):
            if number:
                self._cancel.wait(_BETWEEN_LOOKS)
            answer = http_answer(
                address, op["port"], op["path"], seconds=op["seconds"], whole=whole, cancel=self._cancel
            )
            outcome.output = f"{outcome.output}HTTP {answer.status} in {answer.milliseconds} ms\n"[:_KEPT_OUTPUT]
            _fail_if(problem_with_answer(op, answer))

    def _upload(self, op: Any) -> None:
        try:
            source = stored_path(op["sha256"]).open("rb")
        except OSError as error:
            raise StepFailed("the artefact is no longer in the store", code="artefact_missing") from error
        with source:
            self._connection.upload(source, op["path"], size=op["size"], deadline=op["seconds"])

    def _reconnect(self, op: Any, outcome: Outcome, digest: Any) -> None:
        """Through the gate again each time: what was allowed before the line went may not be allowed now."""
        ends, pause = time.monotonic() + op["seconds"], op["pause_ms"] / 1000
        once = {**op, "op": "exec", "seconds": 10, "pause_ms": 0}
        while True:
            self._connection.close()
            try:
                self._connection, self._secret = self._open_line("")
                self._exec(once, outcome, digest)
                return
            except (SshError, StepFailed) as error:
                if self._cancel.is_set():
                    raise Cancelled(outcome_unknown=True) from error
                if time.monotonic() + pause > ends or self._cancel.wait(pause):
                    if isinstance(error, StepFailed):
                        raise
                    raise ConnectionLost(outcome_unknown=True) from error

    def _exec(self, op: Any, outcome: Outcome, digest: Any) -> None:
        argv = [resolved(part, outcome.saved) for part in op["argv"]]
        worse = is_worse(argv, self._spec.get("check"))
        if worse is not None:
            reason = _("The command check refuses what would be sent: %(reason)s") % {
                "reason": reason_label(worse.reason)
            }
            raise StepFailed(reason, code="command_refused")
        connection, secret = self._line(op.get("on", ""))
        ends = time.monotonic() + op["seconds"]
        while True:
            left = max(1.0, ends - time.monotonic())
            result = connection.run(argv, deadline=left, is_short=is_short(argv))
            problem = unmet(op["expect"], exit_status=result.exit_status, stdout=result.stdout, saved=outcome.saved)
            pause = op.get("pause_ms", 0) / 1000
            if not problem or not pause or time.monotonic() + pause > ends:
                break
            if self._cancel.wait(pause):
                raise Cancelled(outcome_unknown=True)
        digest.update(bytes.fromhex(result.sha256))
        outcome.exit_status = result.exit_status
        outcome.output = cut_short(outcome.output + self._clean(result.stdout + result.stderr, secret), _KEPT_OUTPUT)
        _fail_if(problem)
        if "save" in op:
            value = result.stdout.strip()
            _fail_if("" if is_number(value) else "the output is not a number")
            outcome.saved[op["save"]] = value

    def tail(self, path: str, *, keep: int, seconds: float) -> str:
        """The last bytes of a file. Raises as `read`."""
        return self.read(["tail", "-c", str(keep), "--", path], keep=keep, seconds=seconds)[0]

    def read(self, argv: Sequence[str], *, keep: int, seconds: float) -> tuple[str, bool]:
        """What a command that only reads says, without our password, and whether that is all of it. Raises StepFailed
        where it can't be had, SshError."""
        if is_worse(argv, self._spec.get("check")) is not None:
            raise StepFailed("the command check refuses to read it", code="command_refused")
        result = self._connection.run(argv, deadline=max(0.1, seconds), keep=keep)
        if result.exit_status != 0:
            raise StepFailed(self._clean(result.stderr, self._secret)[:500] or f"exit status {result.exit_status}")
        return self._clean(result.stdout, self._secret), not result.truncated

    def _clean(self, output: str, secret: Secret) -> str:
        """The output without our password: a host knows it and may say it."""
        return output.replace(secret.value, MASK) if secret.kind == "password" else output


def open_session(
    host_run: HostRun,
    spec: Mapping[str, Any],
    claim: str,
    cancel: threading.Event,
    brake: Brake | None = None,
    ask: Callable[[Visit], Admission] | None = None,
) -> HostSession:
    """Connect to the host of this run, if the gate lets it. Raises GateClosed, a vault error, or SshError.

    `ask` asks the gate (`admit`), perhaps together with others; by default here and now.
    """

    def open_line(on: str) -> tuple[Connection, Secret]:
        visit = Visit(host_run, claim, spec, on)
        admission = ask(visit) if ask is not None else admit(host_run.wave.run, [visit])[0]
        if isinstance(admission, GuardiaError):
            raise admission
        *via, own = admission
        line = connect(own.target, own.secret, deadline=settings.GUARDIA_CONNECT_SECONDS, cancel=cancel, via=via)
        return line, own.secret

    return HostSession(open_line, spec, cancel, brake or Brake(cancel))


def _fail_if(problem: str) -> None:
    if problem:
        raise StepFailed(problem)
