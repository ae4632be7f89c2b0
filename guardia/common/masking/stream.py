"""Masking of what comes in pieces: nothing leaves before the line it stands in is whole."""

from collections.abc import Callable
from dataclasses import dataclass, field

from guardia.common.masking.forms import MASK, covered
from guardia.common.masking.private_keys import KeyBlock

LONGEST_LINE = 16 * 1024
CUT = " …[cut]"


def cut_short(text: str, longest: int) -> str:
    """At most `longest` characters; where something is cut off, the last word goes with it: it may be the half of a
    secret by which nobody would know it."""
    if len(text) <= longest:
        return text
    head = text[:longest]
    return head[: max(head.rfind(" "), head.rfind("\t"), head.rfind("\n"), longest - 1024, 0)]


@dataclass(slots=True)
class StreamMask:
    """Feed it the pieces of a text in order, then `close` it; a line longer than `longest` is cut there.

    So a secret that lies across a border of two pieces is seen whole, memory stays bounded, and a private key is
    hidden to its last line, however its lines come.
    """

    mask: Callable[[str], str]
    longest: int = LONGEST_LINE
    _rest: str = ""
    _block: KeyBlock = field(default_factory=KeyBlock)

    def feed(self, piece: str) -> str:
        """The lines that are whole now, masked."""
        *lines, rest = piece.split("\n")
        told = ""
        for line in lines:
            self._take(line)
            told += self._line() + "\n"
        self._take(rest)
        return told

    def close(self) -> str:
        """What was left without a line feed, masked."""
        return self._line()

    def _take(self, part: str) -> None:
        room = self.longest + 1 - len(self._rest)
        self._rest += part[:room]

    def _line(self) -> str:
        line = cut_short(self._rest, self.longest)
        is_cut, self._rest = len(self._rest) > self.longest, ""
        is_end = "\r" if line.endswith("\r") else ""
        body = line.removesuffix("\r")
        spans = [span for span in self._block.spans(body) if span[1] > span[0]]
        return self.mask(covered(body, spans, MASK)) + (CUT if is_cut else "") + is_end
