"""Several systems in one request: the one that is acted on, or nobody can tell."""

import re

from .names import NameHit
from .normalise import Normalised
from .vocabulary import COMPANION

_JOIN = r"(?:이?랑|와|과|하고|및|,|/|·|&|\+|그리고|또는|혹은|이나|나|and|or|둘|도)"
_PART = r"(?:시스템|포털|서비스|서버|누리집|홈페이지|was|web|와스|웹|db|디비|톰캣|전체|전부|\d{1,2}|호기|번|-|의)*"
_BETWEEN = re.compile(rf"{_PART}\(?{_JOIN}{{1,3}}[가-힣a-z]{{0,10}}")
_STRONG_AFTER = re.compile(rf"^(?:{COMPANION})")
# The name tells who speaks, where a fault shows, or what it is compared with; nothing is done there.
_BACKGROUND = re.compile(
    r"^(?:시스템|포털|서비스|쪽|측|누리집)*(?:의)?(?:담당|운영자|관리자(?!계정)|연계|연동|인터페이스|처럼|같이|와같|과같|와동일|과동일|와마찬가지|에서(?:호출|전송|보내|받|넘어|오는|조회|연계|요청|접속|장애|오류|에러|문의)|에게|한테|에서?전달|요청으로|로부터|때문|장애|문제로|오류(?:로|가|때문)|점검(?:때문|으로|중)|보다|(?:작업|배포|점검|이관)(?:때|후|이후|하면서)|으?로(?:전송|송신|보내|연계|접속|이관|넘기|넘어)|(?:와|과)의?(?:연계|연동|통신|인터페이스|비교)|(?:은|는)?(?:이미|아까)|사용자|이용자|민원인)"
)
_UNKNOWN = re.compile(r"[가-힣a-z0-9]{2,16}?(?:시스템|포털|누리집|홈페이지)")


def acted_on(doc: Normalised, hits: list[tuple[NameHit, str]]) -> str | None:
    """The code of the one system acted on among system hits and their codes; None where more than one may be meant."""
    if any(hit.labelled for hit, _ in hits):
        hits = [(hit, code) for hit, code in hits if hit.labelled]
    solid = [(hit, code) for index, (hit, code) in enumerate(hits) if _solid(doc, hits, index)] or hits[:1]
    if len({code for _, code in solid}) > 1 and not any(_joined(doc, hits, index) for index in range(len(hits))):
        solid = [(hit, code) for hit, code in solid if not only_mentioned(doc, hit)]
    codes = {code for _, code in solid}
    return codes.pop() if len(codes) == 1 else None


def joined_to_unknown(doc: Normalised, hits: list[tuple[NameHit, str]]) -> bool:
    """Whether a system outside the CMDB stands on the same footing ("예산시스템이랑 급식관리시스템")."""
    for hit, _ in hits:
        after = doc.compact[hit.end : hit.end + 60]
        gap = re.match(rf"{_PART}{_JOIN}", after)
        if not gap or not (name := _UNKNOWN.match(after, gap.end())):
            continue
        low, high = hit.end + name.start(), hit.end + name.end()
        if not any(other.start < high and low < other.end for other, _ in hits):
            return True
    return False


def _solid(doc: Normalised, hits: list[tuple[NameHit, str]], index: int) -> bool:
    hit = hits[index][0]
    if not hit.weak or hit.labelled or _STRONG_AFTER.match(doc.compact[hit.end : hit.end + 12]):
        return True
    return _joined(doc, hits, index) or (index > 0 and _joined(doc, hits, index - 1))


def _joined(doc: Normalised, hits: list[tuple[NameHit, str]], index: int) -> bool:
    """Whether this hit and the next one are coordinated."""
    if index + 1 >= len(hits) or hits[index][1] == hits[index + 1][1]:
        return False
    between = doc.compact[hits[index][0].end : hits[index + 1][0].start]
    return len(between) <= 40 and bool(_BETWEEN.fullmatch(between))


def only_mentioned(doc: Normalised, hit: NameHit) -> bool:
    """Whether the name only tells who speaks, where a fault shows or what something is compared with."""
    return bool(_BACKGROUND.match(doc.compact[hit.end : hit.end + 32]))
