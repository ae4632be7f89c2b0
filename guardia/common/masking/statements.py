"""Secrets that only their place tells: the value of a column called `password` in an INSERT."""

import re

from guardia.common.masking.forms import Span

_INSERT = re.compile(
    r"\binto\s{1,4}[\w.`\"\[\]]{1,120}\s{0,4}\((?P<names>[\w\s,.`\"\[\]]{1,2000}+)\)\s{0,4}values\s{0,4}(?=\()",
    re.IGNORECASE,
)
_ROW = re.compile(r"\s{0,4},?\s{0,4}\((?P<values>(?:[^()']|'(?:[^'\\]|''|\\.){0,4000}+'|\([^()']{0,200}\)){1,4000}+)\)")
_CELL = re.compile(r"\s{0,8}(?:N|E)?(?:'(?P<text>(?:[^'\\]|''|\\.){0,4000}+)'|[^,']{0,4000}+)\s{0,8}(?:,|$)")
_SECRET = re.compile(r"pass(?:wd|word)|pwd|secret|token|api_?key|jumin|rrn|ssn|resident|비밀번호|주민", re.IGNORECASE)


def insert_spans(text: str) -> list[Span]:
    """The texts that an INSERT puts into columns whose names say what they hold."""
    spans: list[Span] = []
    if "into" not in text.lower():
        return spans
    for insert in _INSERT.finditer(text):
        secret = [bool(_SECRET.search(name)) for name in insert["names"].split(",")]
        row = _ROW.match(text, insert.end()) if any(secret) else None
        while row is not None:
            cells = _CELL.finditer(text, row.start("values"), row.end("values"))
            for is_secret, cell in zip(secret, cells, strict=False):
                if is_secret and cell["text"]:
                    spans.append(cell.span("text"))
            row = _ROW.match(text, row.end())
    return spans
