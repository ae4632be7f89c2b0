# ruff: noqa: E501 - word tables: one pattern a row reads better than wrapped ones
"""Work that is named because it must not be done: "재시작 절대 금지", "배포 중단 바랍니다", "do not restart"."""

import re

_ADVERB = r"절대(?:로|적으로)?|일체|일절|전면|당분간|임의로|함부로|무단으로?|현재|지금|아직|오늘|내일|금일|이번주|가급적|되도록|가능하면|모두|전부|당일|기간중|다시는?|추가"
_LISTED = r"(?:(?:,|/|·|및|와|과|이나|나|또는|혹은)[가-힣a-z]{2,6}){0,3}"
# What follows the name of the work. A report that it doesn't work ("재시작이 안 됩니다") asks for no second try.
_AFTER = re.compile(
    rf"^{_LISTED}(?:작업|처리|진행|실행|조치|행위|시도|요청)?(?:하는|하시는)?(?:것|건|일)?(?:을|를|은|는|이|가|도|만)?(?:{_ADVERB}){{0,3}}(?:"
    r"금지|엄금|금합|금해|금하|금물|불가|말(?:것|아|라|고|자|기)|자제|삼가|삼갈|지양|보류|유보|중단|중지|취소|미루|연기|철회|멈춰|멈추|막아|못하|없도록|"
    r"(?:하|시키|되)?(?:시)?지(?:는|도|를)?(?:말|마(?!무)|않|못)|(?:하|시키)?(?:시)?면.{0,4}(?:안[되돼됩]|큰일|곤란)|(?:해서|하셔서|해선)(?:는|도)?.{0,4}안[되돼됩]|(?:하|되)면안|안[됩돼됨](?!면)|안되(?!면|어서|게)|"
    r"(?:할|하실)?(?:필요|것)(?:는|은|가|도)?(?:없|아니)|않도록|안하|안해|하지않)"
)
_BEFORE = re.compile(
    r"(?:donot|don'?t|never|mustnot|shouldnot|cannot|can'?t|without|avoid|refrainfrom|no)$|금지(?:사항|작업|행위)?[:\-\]][^\n.]{0,24}$"
)
_REACH = 64


def is_forbidden(text: str, start: int, end: int) -> bool:
    """Whether the work named by `text[start:end]` (lower case, no white space) is ruled out."""
    return bool(_AFTER.match(text[end : end + _REACH]) or _BEFORE.search(text[max(0, start - 40) : start]))
