"""The first look: characters that make a line read otherwise than it runs."""

import re
import unicodedata

from execution.command_check.verdict import Judgement, Verdict

MAX_BYTES = 16 * 1024
#: ASCII, Korean, CJK, a few typographic signs: everything else may look like something it isn't.
_PLAIN = re.compile(r"[\t\n\x20-\x7e]*")
_SCRIPT = re.compile(
    r"[ㄱ-ㅣ가-힣一-鿿ぁ-ヿ·…–—‘’“”→←↑↓※°×÷±℃㎡㎞₩§•■□●○▲△▶▷◆◇★☆《》「」『』【】〔〕，。]"  # noqa: RUF100 - signs that look alike are the point
)
_FILLERS = frozenset("\u3164\u115f\u1160\uffa0")


def look_at_text(command: str) -> Judgement | None:
    """A verdict on the characters alone; None where there is nothing to say."""
    if _PLAIN.fullmatch(command) and len(command) <= MAX_BYTES:
        return None
    if len(command.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return Judgement(Verdict.BLOCK, "too long to be read by a person")
    for character in command:
        if character in "\t\n" or " " <= character <= "~":
            continue
        name = f"U+{ord(character):04X}"
        category = unicodedata.category(character)
        if category.startswith(("C", "Z", "M")) or character in _FILLERS:
            return Judgement(Verdict.BLOCK, f"invisible or control character {name}")
        if not _SCRIPT.fullmatch(character):
            verdict = Verdict.BLOCK if category.startswith("L") or _looks_ascii(character) else Verdict.ESCALATE
            return Judgement(verdict, f"character {name} may look like another one")
    return None


def _looks_ascii(character: str) -> bool:
    return unicodedata.normalize("NFKC", character).isascii()
