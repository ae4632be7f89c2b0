"""Masking of what comes in pieces: nothing leaves before the line it stands in is whole."""

from collections.abc import Callable
from dataclasses import dataclass, field

from guardia.common.masking.forms import MASK, covered
from guardia.common.masking.private_keys import KeyBlock

LONGEST_LINE = 16 * 1024
CUT = " …[cut]"


@dataclass(slots=True)
class StreamMask:
    """Feed it the pieces of a text in order, then `close` it; a line longer than `LONGEST_LINE` is cut there.

    So a secret that lies across a border of two pieces is seen whole, memory stays bounded, and a private key is
    hidden to its last line, however its lines come.
    """

    mask: Callable[[str], str]
    _rest: str = ""
    _is_cut: bool = False
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
        room = LONGEST_LINE - len(self._rest)
        self._is_cut = self._is_cut or len(part) > room
        self._rest += part[:room]

    def _line(self) -> str:
        line, is_cut = self._rest, self._is_cut
        self._rest, self._is_cut = "", False
        if is_cut:  # what is cut off may be the half of a secret that tells it: the last word goes, too
            line = line[: max(line.rfind(" "), line.rfind("\t"), LONGEST_LINE - 1024)]
        is_end = "\r" if line.endswith("\r") else ""
        body = line.removesuffix("\r")
        spans = [span for span in self._block.spans(body) if span[1] > span[0]]
        return self.mask(covered(body, spans, MASK)) + (CUT if is_cut else "") + is_end
