"""Which work is asked for: a table of topics and actions, scored; the first required action wins ties."""

import re
from dataclasses import dataclass

from .intent_rules import FALSE_FRIENDS, RULES, Rule
from .normalise import Normalised
from .prohibition import is_forbidden

_SECONDARY = re.compile(
    r"(?:필요하?[면시]|필요한경우|안되면|안되시면|그래도안되|문제있으면|이상있으면|이상하면|여의치않으면|있으면)[^.\n]{0,80}"
    r"|(?:교체|배포|작업|반영|삭제|정리|변경|적용)?(?:하기)?전에[^.,\n]{0,12}백업[^.\n]{0,30}"
    r"|백업(?:은|을|도|본)?(?:먼저|꼭|미리)?(?:받고|받아두고|받은|하고|한|뜨고|떠두고|떠놓고|해두고|해놓고|후에?|뒤에?)(?=.{0,60}(?:삭제|배포|교체|재기동|변경|정리|적용|재부팅))"
    r"|(?:확인|점검|검토)할필요도?없[이고]|조회만하면되니까"
    r"|(?:후에?|뒤에?|다음에?)(?:결과|정상|원인|송수신|서비스)[^.\n]{0,16}(?:확인|점검|분석|회신)"
)
# Told as background ("배포 후 에러가…"), as finished, or ruled out: no request for it.
_NOT_ASKED = re.compile(
    r"^[가-힣]{0,3}?(?:"
    r"(?:한|하고|한지|하신|해도|했는데도?|했더니|된|되고|됐는데|했던|한뒤|한후|하고나서|이후|후|뒤|하면서)(?:에|로|부터|도)?.{0,16}?(?:에러|오류|안[되돼됩열떠]|느려|느림|이상|장애|문제|실패|깨[져짐]|자꾸|계속|발생)"
    r"|(?:했|됐|되었|끝났)(?!는지|으면|나)|(?:작업|진행)?중(?:이|입|인데|일때|엔)|완료(?!해|하|요청|부탁|되면|후)|(?:은|는|을|를)?(?:하지|시키지)?(?:말고|마시|마세요|말아)|(?:은|는)?(?:필요없|안해도|안하셔도|불필요))"
)


@dataclass(frozen=True, slots=True)
class Intent:
    """The winning sub-type ("": work that has none, as a stop); `at` is where its action stands in `compact`."""

    sub_type: str
    at: int
    rule: str
    score: int


@dataclass(frozen=True, slots=True)
class Reading:
    """`intent` is None if no rule speaks; `forbidden`: some work is named only to rule it out."""

    intent: Intent | None
    forbidden: bool


def find_intent(doc: Normalised) -> Reading:
    """Return the first required action and whether work was forbidden."""
    plain = FALSE_FRIENDS.sub(_blank, doc.compact)
    forbidden: list[str] = []
    for text in dict.fromkeys((_SECONDARY.sub(_blank, plain), plain)):
        intents = [intent for rule in RULES if (intent := _apply(rule, text, forbidden))]
        if intents:
            return Reading(min(intents, key=lambda intent: (-intent.score, intent.at)), bool(forbidden))
    return Reading(None, bool(forbidden))


def _blank(match: re.Match[str]) -> str:
    return "\x00" * len(match.group())


def _apply(rule: Rule, text: str, forbidden: list[str]) -> Intent | None:
    if rule.topic and not rule.topic.search(text):
        return None
    if rule.unless and rule.unless.search(text):
        return None
    for match in rule.action.finditer(text):
        if rule.checked and is_forbidden(text, *match.span()):
            forbidden.append(rule.name)
            continue
        if rule.checked and _NOT_ASKED.match(text[match.end() : match.end() + 30]):
            continue
        return Intent(rule.sub_type, match.start(), f"intent_{rule.name}", rule.score)
    return None
