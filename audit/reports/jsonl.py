"""A report as JSON Lines, for programs: values as they are recorded, one object in a line, `type` says of what."""

import json
from typing import IO, Any

from audit.reports.document import Document


def write_jsonl(document: Document, out: IO[bytes]) -> int:
    """Lines: `report`, then one per row by the name of its table, `signature`, `end` with their number."""
    facts = {name: value for name, _label, value in document.facts}
    _put(out, {"type": "report", "kind": document.kind, "title": document.title, **facts})
    rows = 0
    for table in document.tables:
        names, rows = [column.name for column in table.columns], 0
        for row in table.rows:
            _put(out, {"type": table.name, **dict(zip(names, row, strict=True))})
            rows += 1
    for one in document.signatures:
        _put(out, {"type": "signature", "title": one.title, "name": one.name, "at": one.at, "words": one.words})
    _put(out, {"type": "end", "rows": rows})
    return rows


def _put(out: IO[bytes], value: dict[str, Any]) -> None:
    line = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    for char in "\u0085\u2028\u2029":  # JSON lets them stand; some programs end a line there
        line = line.replace(char, f"\\u{ord(char):04x}")
    out.write(line.encode() + b"\n")
