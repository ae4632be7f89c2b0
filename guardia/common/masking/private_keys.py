"""Private keys: whole blocks, blocks that a log has cut into lines with something before each, and halves of them."""

import re
from dataclasses import dataclass

from guardia.common.masking.forms import Span

_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-[0-9]:")
_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|Private-(?:MAC|Hash): ?[0-9a-f]{0,128}")
#: What stands in a block besides its base64: headers of PEM, PGP and PuTTY.
_HEADER = re.compile(
    r"(?:Proc-Type|DEK-Info|Version|Comment|Encryption|Key-Derivation|Argon2-\w{1,20}|P\w{1,8}-Lines):"
)
#: The base64 at a line's end, after whatever a log puts before it.
_BODY = re.compile(r"(?<![A-Za-z0-9+/=])(?P<body>[A-Za-z0-9+/]++={0,2}+)[\"',;\\\s]{0,4}(?:\\[nr]){0,2}[\"',]{0,2}$")
_TAIL = re.compile(r"(?<![A-Za-z0-9+/=\\\s])[A-Za-z0-9+/=\\\s]*+$")
_WHOLE_LINE = 20  # characters of base64: fewer are the last line of a block, or a word
_MOST_LINES = 400


@dataclass(slots=True)
class KeyBlock:
    """Whether the line that comes next lies within a private key; the same for whole texts and for streams."""

    lines: int = 0
    column: int = -1  # where its base64 begins in each line
    is_ending: bool = False

    def spans(self, line: str) -> list[Span]:
        """What of one line (without its line feed) is of a private key."""
        spans, at = [], 0
        while at <= len(line):
            if not self.lines:
                begin = _BEGIN.search(line, at)
                if begin is None:
                    break
                self.lines, self.column, self.is_ending = 1, -1, False
                end = _END.search(line, begin.end())
                if end is None:
                    spans.append((begin.start(), len(line)))
                    break
                spans.append((begin.start(), end.end()))
            else:
                end = _END.search(line, at)
                if end is None:
                    spans += self._body(line)
                    break
                spans.append((_tail_start(line, end.start()), end.end()))
            self.lines, at = 0, end.end()
        return spans

    def _body(self, line: str) -> list[Span]:
        """The base64 of a line within the block; a line that is none ends it."""
        self.lines += 1
        body = _BODY.search(line)
        if self.lines > _MOST_LINES:
            self.lines = 0
        elif body is None or self.is_ending:
            is_header = not line.strip() or (self.column < 0 and _HEADER.search(line) is not None)
            self.lines = self.lines if is_header and not self.is_ending else 0
        elif _HEADER.search(line):
            pass
        elif len(body["body"]) >= _WHOLE_LINE and self.column < 0:
            self.column = body.start()
            return [body.span("body")]
        elif self.column >= 0 and abs(body.start() - self.column) <= 2:
            self.is_ending = len(body["body"]) < _WHOLE_LINE
            return [body.span("body")]
        else:
            self.lines = 0
        return []


def key_spans(text: str) -> list[Span]:
    """What of `text` is of private keys. Without a mark of one nothing is: certificates look the same inside."""
    if "PRIVATE KEY" not in text and "PuTTY-User-Key" not in text and "Private-" not in text:
        return []
    spans, block, at, starts = [], KeyBlock(), 0, []
    lines = text.split("\n")
    for line in lines:
        starts.append(at)
        spans += [(at + start, at + end) for start, end in block.spans(line) if end > start]
        at += len(line) + 1
    return spans + _without_beginning(lines, starts)


def _without_beginning(lines: list[str], starts: list[int]) -> list[Span]:
    """The lines above an END whose BEGIN was cut off."""
    spans = []
    for number, line in enumerate(lines):
        end = _END.search(line)
        if end is None or _BEGIN.search(line):
            continue
        spans.append((starts[number] + _tail_start(line, end.start()), starts[number] + end.end()))
        for above in range(number - 1, max(-1, number - _MOST_LINES), -1):
            body = _BODY.search(lines[above])
            if body is None or (above < number - 1 and len(body["body"]) < _WHOLE_LINE):
                break
            spans.append((starts[above] + body.start("body"), starts[above] + body.end("body")))
    return spans


def _tail_start(line: str, end: int) -> int:
    """Where the base64 that runs up to an END in the same line begins."""
    tail = _TAIL.search(line[:end])
    found = tail.start() if tail else end
    return found + len(line[found:end]) - len(line[found:end].lstrip())
