"""Finds the catalogue's names in a text: longest first, white space ignored, Korean particles understood."""

import re
from dataclasses import dataclass

from .catalogue import Catalogue, Named
from .normalise import Normalised, is_hangul
from .vocabulary import COMPANION, JOSA, NOT_MEANT, SOURCE_AFTER

_RIGHT_OK = re.compile(rf"(?:{JOSA})(?![가-힣])|(?:{JOSA})|(?:{COMPANION})|[^가-힣a-z0-9]", re.IGNORECASE)
_JOSA_THEN = re.compile(rf"(?:{JOSA})$")
_WEAK_INSTITUTION_RIGHT = re.compile(r"(?:전|모든)?(?:서버|시스템)|was|web|와스|웹|쪽|측|/|,|전체서버|db서버")
_KIND_WORD = re.compile(r"(?:시스템|포털|누리집|홈페이지|서비스|쇼핑몰|사이트)$")
_KIND_AFTER = re.compile(rf"^(?:시스템|포털|서비스)?(?:(?:{COMPANION})(?:서버)?(?:\d+호기|\d+번|\d+)?)?")
_LABEL_BEFORE = re.compile(r"(?:시스템명?|기관명?|대상(?:시스템)?|업무명?)[:\-]$")
_LONG_NAME = 4
_RUN_ON = 6  # so many syllables without a space before a name: the writer doesn't use spaces
_SHORT_ASCII = 3


@dataclass(frozen=True, slots=True)
class NameHit:
    """A name at `compact[start:end]`; weak: a short common word that may mean something else here."""

    targets: tuple[Named, ...]
    start: int
    end: int
    weak: bool
    dropped: bool
    source: bool
    labelled: bool

    @property
    def kind(self) -> str:
        return self.targets[0].kind


def find_names(doc: Normalised, catalogue: Catalogue) -> list[NameHit]:
    """Return non-overlapping hits in the order of the text."""
    hits: list[NameHit] = []
    index, size = 0, len(doc.folded)
    while index < size - 1:
        for length in catalogue.name_lengths.get(doc.folded[index : index + 2], ()):
            end = index + length
            targets = catalogue.names.get(doc.folded[index:end])
            if end <= size and targets and (hit := _judge(doc, targets, index, end, hits)):
                hits.append(hit)
                index = end - 1
                break
        index += 1
    return hits


def _judge(doc: Normalised, targets: tuple[Named, ...], start: int, end: int, hits: list[NameHit]) -> NameHit | None:
    name, rest = doc.compact[start:end], doc.compact[end : end + 16]
    labelled = bool(_LABEL_BEFORE.search(doc.compact[max(0, start - 8) : start]))
    if not (_ascii_bounds(doc, start, end) if name.isascii() else _hangul_bounds(doc, start, end, hits)):
        return None
    kind_follows = rest.startswith(("시스템", "포털", "누리집", "홈페이지", "쪽"))
    weak = len(name) < _LONG_NAME and not _KIND_WORD.search(name) and not kind_follows and not labelled
    if targets[0].kind == "institution":
        common_word = len(name) <= 2 and not name.isascii() and not name.endswith(("부", "청", "처"))
        if common_word and not labelled and not _WEAK_INSTITUTION_RIGHT.match(rest):
            return None
    tail = _KIND_AFTER.sub("", doc.compact[end : end + 40], count=1)
    return NameHit(
        targets,
        start,
        end,
        weak,
        bool(NOT_MEANT.match(doc.compact[end : end + 40].removeprefix("시스템"))),
        bool(SOURCE_AFTER.match(tail)),
        labelled,
    )


def _ascii_bounds(doc: Normalised, start: int, end: int) -> bool:
    first, last = doc.origin[start], doc.origin[end - 1]
    before = doc.lower[first - 1] if first else " "
    after = doc.lower[last + 1] if last + 1 < len(doc.lower) else " "
    if re.match(r"[a-z0-9_./\-]", before) or re.match(r"[a-z0-9_\-]", after):
        return False
    written = doc.text[first : last + 1]
    return end - start > _SHORT_ASCII or written.isupper()


def _hangul_bounds(doc: Normalised, start: int, end: int, hits: list[NameHit]) -> bool:
    long_name = end - start >= _LONG_NAME
    run = 0
    while run < _RUN_ON and start - run > 0 and is_hangul(doc.compact[start - run - 1]):
        if doc.gap_before(start - run):
            break
        run += 1
    after_hit = bool(hits) and hits[-1].end >= start - 1
    left = run == 0 or after_hit or (run >= _RUN_ON and long_name) or _particle_before(doc, start, run)
    if not left:
        return False
    if end >= len(doc.compact) or doc.gap_before(end) or not is_hangul(doc.compact[end]):
        return True
    rest = doc.compact[end : end + 8]
    return bool(_RIGHT_OK.match(rest)) or (long_name and bool(_KIND_WORD.search(doc.compact[start:end])))


def _particle_before(doc: Normalised, start: int, run: int) -> bool:
    return run >= 2 and bool(_JOSA_THEN.search(doc.compact[start - run : start]))
