"""Part of the hosts is meant, but not said which: "절반만", "몇 대", "홀수 번호", "1호기 빼고"."""

import re

from .numbers import NATIVE
from .vocabulary import HOST_WORD

_HOST = rf"(?:was|web|와스|웹|톰캣|{HOST_WORD}|호기|l4)"
_COUNTED = rf"(?:\d{{1,2}}|{NATIVE})(?:대|개|노드)"
_LINK = r"(?:들|서버|의|을|를|은|는|중에?서?|가운데|에서|번호|호기|인|,|\(|좀)*"
# Counting words that pick from a named set even where numbers stand beside them ("1~4호기 중 홀수만").
_PICKING = re.compile(
    rf"{_HOST}{_LINK}(?:절반|반|과반|홀수|짝수)(?:정도|씩|번호|번|호기|대)*(?:만|을|를|은|의|인|먼저|재|,|$)(?!으?로)"
    rf"|(?:절반|반)(?:정도)?만(?:먼저|우선|일단)?(?:재|리|배포|껐|내|작업|적용)|(?:홀수|짝수)(?:번호?|호기|서버|대)|(?:절반|과반)의?{_HOST}"
    r"|(?:호기|번|대|\d|전체|서버|노드)중(?:에서?|에)?(?:\d{1,2}|한|두|세|네|다섯)(?:대|개)|(?:half|some|most|several|a?few)of(?:the|them)|(?:odd|even)(?:-?number|nodes|ones)"
)
# Vague counts: the numbers beside them may say which.
_VAGUE = re.compile(
    rf"몇(?:대|몇서버|노드)|(?:한두|두세|서너|두어|너댓|여러)(?:대|노드)|{_HOST}{_LINK}(?:일부(?!터)|몇개|한두개|두세개|몇몇|대부분|아무거나|임의)"
    rf"|(?:일부|몇몇|대부분의?|임의의?|특정|아무)(?:의)?{_HOST}|아무거나(?:하나|한대|1대|한개|골라)|랜덤(?:하게|으로)"
    rf"|{_COUNTED}중(?:에서?|에)?{_COUNTED}|(?:앞|뒤|처음|마지막|위|아래)(?:쪽|의|에서|번호)?(?:몇|{_COUNTED})"
)
_WITHOUT = re.compile(
    r"(?:호기|번|서버|was\d|web\d|-\d{1,2}|was|web|와스)(?:은|는|을|를|만)?(?:빼고|뺴고|빼구|제외|외에)"
)


def picks_unnamed(text: str, *, numbers_named: bool) -> bool:
    """Whether `text` (lower case, no white space) means some hosts of a set without saying which."""
    return bool(_PICKING.search(text)) or (not numbers_named and bool(_VAGUE.search(text)))


def leaves_out(text: str) -> bool:
    """Whether hosts are only left out: the rest may or may not be meant."""
    return bool(_WITHOUT.search(text))
