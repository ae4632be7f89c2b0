"""What a client printed, as rows: hostile data, bounded, and masked where it speaks of people. Pure."""

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from execution.command_check.sql_names import is_hidden_column
from guardia.common.masking import hide_personal
from guardia.common.text import printable

_LONGEST_CELL, _MOST_COLUMNS = 4000, 200
_HIDDEN = "***"
_COMPLAINT = re.compile(
    r"\s*(ERROR|FATAL|Error:|Runtime error|Parse error|psql:|mysql:|mariadb:|sqlite3:|guardia refuses)"
)
_ESCAPES = {"n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a query. `is_complete` is False where there were more than the limit, or more than was kept."""

    columns: list[str]
    rows: list[list[str | None]]
    is_complete: bool
    is_masked: bool


def read_table(stdout: str, dialect: str, *, limit: int, masked: bool, truncated: bool) -> Found:
    """The client's output as at most `limit` rows. Raises ValueError where it isn't what such a client prints."""
    if truncated:
        stdout = stdout[: stdout.rfind("\n") + 1]
    columns, rows = {"postgresql": _json_lines, "mariadb": _tab_lines, "sqlite": _comma_lines}[dialect](stdout)
    if len(columns) > _MOST_COLUMNS or any(len(row) != len(columns) for row in rows):
        if not truncated:
            raise ValueError("the output is not a table")
        rows = [row for row in rows if len(row) == len(columns)]
    hidden = [masked and is_hidden_column(column) for column in columns]
    kept = [
        [_cell(value, is_hidden, masked) for value, is_hidden in zip(row, hidden, strict=True)] for row in rows[:limit]
    ]
    return Found([printable(column)[:128] for column in columns], kept, len(rows) <= limit and not truncated, masked)


def complaint(stderr: str) -> str:
    """What a client says went wrong, without the statements and rows that it quotes below."""
    lines = [line[:300] for line in stderr.splitlines() if _COMPLAINT.match(line)]
    return hide_personal("\n".join(lines[:5]) + "\n") if lines else ""


def _cell(value: str | None, is_hidden: bool, masked: bool) -> str | None:
    if value is None:
        return None
    if is_hidden:
        return _HIDDEN if value else ""
    text = printable(value)[:_LONGEST_CELL]
    return hide_personal(text) if masked else text


def _json_lines(text: str) -> tuple[list[str], list[list[str | None]]]:
    """One JSON object per row; the names are those of the first."""
    pairs: list[Sequence[tuple[str, Any]]] = [
        json.loads(line, object_pairs_hook=list, parse_float=str, parse_int=str)
        for line in text.split("\n")
        if line.strip()
    ]
    columns = [str(name) for name, _value in pairs[0]] if pairs else []
    return columns, [[_json_text(value) for _name, value in row] for row in pairs]


def _json_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


def _tab_lines(text: str) -> tuple[list[str], list[list[str | None]]]:
    """mysql --batch: tab, newline, NUL and backslash are escaped; no value is written NULL, as the text “NULL” is."""
    lines = [line.split("\t") for line in text.split("\n") if line]
    rows = [[None if field == "NULL" else _unescaped(field) for field in line] for line in lines[1:]]
    return ([_unescaped(field) for field in lines[0]] if lines else []), rows


def _unescaped(field: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), field)


def _comma_lines(text: str) -> tuple[list[str], list[list[str | None]]]:
    csv.field_size_limit(1 << 21)
    lines = list(csv.reader(io.StringIO(text, newline="")))
    rows: list[list[str | None]] = [list(line) for line in lines[1:]]
    return (lines[0] if lines else []), rows
