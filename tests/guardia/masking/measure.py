"""How many of the labelled secrets are hidden, and how much else: `python -m tests.guardia.masking.measure` writes the
table of docs/masking.md anew."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from guardia.common.masking import MASK, mask_all

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[2] / "docs" / "masking.md"
_MARK = re.compile(r"⟦(\w+)\|(.*?)⟧")
_TABLE = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- end -->)", re.DOTALL)
_PIECE = 5  # so many characters of a secret in a row are a leak


@dataclass
class Measured:
    """What one labelled sample gave."""

    shown: Counter[str] = field(default_factory=Counter)  # kind → labelled
    missed: list[str] = field(default_factory=list)
    missed_of: Counter[str] = field(default_factory=Counter)
    clean: int = 0  # lines that hold nothing
    alarms: list[str] = field(default_factory=list)
    beyond: int = 0  # lines where more was hidden than was labelled

    def recall(self, *kinds: str) -> float:
        chosen = kinds or tuple(self.shown)
        total = sum(self.shown[kind] for kind in chosen)
        return 1 - sum(self.missed_of[kind] for kind in chosen) / total

    @property
    def false_alarms(self) -> float:
        return len(self.alarms) / self.clean


def clear(line: str) -> str:
    return _MARK.sub(lambda match: match[2], line)


def labels(line: str) -> list[tuple[str, str]]:
    return _MARK.findall(line)


def measure(lines: Iterable[str]) -> Measured:
    found = Measured()
    for line in lines:
        if not line or line.startswith("# "):
            continue
        text, marks = clear(line), labels(line)
        said, right = mask_all(text), _MARK.sub(MASK, line)
        if not marks:
            found.clean += 1
            found.alarms += [text] if said != text else []
            continue
        found.beyond += said not in (right, text)
        for kind, value in marks:
            found.shown[kind] += 1
            if leaks(value, said, right):
                found.missed_of[kind] += 1
                found.missed.append(f"{kind} {value}: {said}")
    return found


def leaks(value: str, said: str, right: str) -> bool:
    """Whether a piece of the secret can be read, that isn't also in the rest of the line."""
    size = min(_PIECE, len(value))
    pieces = {value[at : at + size] for at in range(len(value) - size + 1)}
    return any(piece in said and piece not in right for piece in pieces)


def sample(name: str) -> list[str]:
    return (HERE / name).read_text(encoding="utf-8").splitlines()


def table() -> str:
    rows = [
        "| sample | holds | labelled | hidden | lines that hold nothing | false alarms |",
        "|---|---|---|---|---|---|",
    ]
    for name in ("written.txt", "generated.txt"):
        found = measure(sample(name))
        for kind, total in sorted(found.shown.items()):
            rows.append(f"| `{name}` | {kind} | {total} | {total - found.missed_of[kind]} | | |")
        rows.append(f"| `{name}` | | | | {found.clean} | {len(found.alarms)} |")
    return "\n".join(rows) + "\n"


def documented() -> str:
    found = _TABLE.search(DOCUMENT.read_text(encoding="utf-8"))
    assert found is not None
    return found[0]


if __name__ == "__main__":
    DOCUMENT.write_text(_TABLE.sub(table(), DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
