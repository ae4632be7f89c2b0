"""A unified diff as rows to show. The text is hostile: bounded and made printable here, escaped on the page."""

import re
from dataclasses import dataclass, field

from guardia.common.text import printable

LINES_SHOWN = 2000
_FILES_SHOWN = 200
_WIDTH = 400
_FOLDED_ABOVE = 120
_HUNK = re.compile(r"^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")


@dataclass(frozen=True, slots=True)
class Line:
    """`kind`: same, added, removed, hunk (a new place in the file) or note. Numbers are None where there is no line."""

    kind: str
    text: str
    old: int | None = None
    new: int | None = None


@dataclass(slots=True)
class FileDiff:
    name: str
    lines: list[Line] = field(default_factory=list)
    added: int = 0
    removed: int = 0
    left_out: int = 0

    @property
    def is_folded(self) -> bool:
        return self.added + self.removed > _FOLDED_ABOVE


@dataclass(slots=True)
class _Place:
    """Where the reading stands: the next line numbers, and how many lines the hunk still promises of either side."""

    old: int = 0
    new: int = 0
    old_left: int = 0
    new_left: int = 0

    @property
    def is_in_hunk(self) -> bool:
        return self.old_left > 0 or self.new_left > 0


def read_diff(text: str, lines_shown: int = LINES_SHOWN) -> list[FileDiff]:
    """The files of a unified diff, at most `lines_shown` lines in all; what is no diff is one nameless file."""
    files: list[FileDiff] = []
    place, room, before = _Place(), lines_shown, ""
    for raw in text.split("\n"):
        if not place.is_in_hunk and raw.startswith("--- "):
            before = _name(raw)
            continue
        if not place.is_in_hunk and raw.startswith("+++ "):
            after = _name(raw)
            if len(files) < _FILES_SHOWN:
                files.append(FileDiff(before if after == "/dev/null" else after))
            else:  # what comes still counts, but to the last one's lines that are left out
                room = 0
            continue
        line = _line(raw, place)
        if line is None:
            continue
        if not files:
            files.append(FileDiff(""))
        room -= 1
        _add(files[-1], line, has_room=room >= 0)
    return files


def _add(file: FileDiff, line: Line, *, has_room: bool) -> None:
    file.added += line.kind == "added"
    file.removed += line.kind == "removed"
    if has_room:
        file.lines.append(line)
    else:
        file.left_out += 1


def _line(raw: str, place: _Place) -> Line | None:
    """The line as it is shown, and the place after it; None for what says nothing (git's headers, the empty end)."""
    hunk = None if place.is_in_hunk else _HUNK.match(raw)
    if hunk is not None:
        old, old_count, new, new_count = hunk.groups()
        place.old, place.new = int(old), int(new)
        place.old_left, place.new_left = int(old_count or 1), int(new_count or 1)
        return Line("hunk", _shown(raw))
    if not place.is_in_hunk:
        return Line("note", _shown(raw)) if raw.strip() and not raw.startswith(("diff --git ", "index ")) else None
    if raw.startswith("\\"):
        return Line("note", _shown(raw))
    sign, rest = raw[:1], _shown(raw[1:])
    old_number = new_number = None
    if sign != "+":
        old_number = place.old
        place.old, place.old_left = place.old + 1, place.old_left - 1
    if sign != "-":
        new_number = place.new
        place.new, place.new_left = place.new + 1, place.new_left - 1
    return Line({"+": "added", "-": "removed"}.get(sign, "same"), rest, old_number, new_number)


def _name(raw: str) -> str:
    name = raw[4:].split("\t")[0].strip()
    return _shown(name[2:] if name.startswith(("a/", "b/")) else name)


def _shown(text: str) -> str:
    text = printable(text.rstrip("\r"))
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
