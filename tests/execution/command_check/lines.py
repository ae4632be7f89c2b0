"""The labelled lines of `data/`: ⏎ is a newline, ⟦hex⟧ a code point, a leading `sql:` the kind (any other than `shell`)."""

import re
from pathlib import Path

_DATA = Path(__file__).parent / "data"
Line = tuple[str, str]


def lines_of(name: str) -> list[Line]:
    text = (_DATA / f"{name}.txt").read_text()
    return [_line(raw) for raw in text.splitlines() if raw and (not raw.startswith("# ") or "⏎" in raw)]


def _line(raw: str) -> Line:
    command = re.sub(r"⟦([0-9a-f]+)⟧", lambda match: chr(int(match[1], 16)), raw).replace("⏎", "\n")
    kind = re.match(r"(sql|powershell|batch|python):", command)
    return (kind[1], command[kind.end() :]) if kind else ("shell", command)
