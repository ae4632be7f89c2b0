"""What the terminal shows while the demonstration runs: scenes, checks, live events."""

import sys
from typing import Any, TextIO

_MARKS = {"step_ok": "·", "step_failed": "✗", "step_uncertain": "?", "host_settled": "■"}


class Report:
    """Counts what was checked. A check that fails is shown at once and makes the demonstration fail."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._colours = self._out.isatty()
        self.passed = self.failed = 0

    def scene(self, title: str) -> None:
        self.line(self._paint("1", f"\n▶ {title}"))

    def check(self, what: str, holds: bool, got: Any = "") -> None:
        if holds:
            self.passed += 1
            self.line(f"  {self._paint('32', '✓')} {what}")
        else:
            self.failed += 1
            self.line(f"  {self._paint('31', '✗')} {what}  (got: {got})")

    def event(self, event: dict[str, Any]) -> None:
        """One line per event that somebody watching would want to see."""
        data, kind = event["data"], event["kind"]
        if kind in _MARKS:
            detail = data.get("step") or data.get("status")
            phase = " (rollback)" if data.get("phase") == "UNDO" else ""
            error = f": {data['error']}" if data.get("error") else ""
            self.line(f"    {_MARKS[kind]} {data['host']:<22} {detail}{phase}{error}")
        elif kind in ("wave_opened", "rollback_started", "run_finished", "run_started"):
            told = {key: value for key, value in data.items() if value and key != "reason"}
            self.line(self._paint("36", f"    {kind} {told}"))

    def line(self, text: str) -> None:
        print(text, file=self._out, flush=True)

    def closing(self) -> int:
        """Print the last line; returns the exit code."""
        self.line(f"\nmain job: {self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colours else text
