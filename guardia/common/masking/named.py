"""Secrets that are called so: `password=…`, `"token": "…"`, `비밀번호는 …`, `--api-key …`; and what isn't one."""

import re

from guardia.common.masking.forms import Form, Span

_WORDS = (
    r"(?:pass(?:word|wd|phrase|code)|passwort|pswd|pwd|secret|credentials?|token|(?:api|access|account|auth|private"
    r"|secret|master|encryption|signing|service|crtfc|shared)[_.-]?key|(?<![a-z])(?:pass|pw)(?![a-z])"
    r"|(?-i:(?<=[a-z0-9])P(?:w|ass)(?![a-z]))"
    r"|비밀\s?번호|패스워드|비번|암호|인증\s?키|접근\s?키|API\s?키|시크릿|토큰)"
)
_QUOTED = r"\"(?P<double>(?:[^\"\\\n]|\\.)++)|'(?P<single>(?:[^'\\\n]|\\.)++)"
# A separator belongs to the secret unless another name and value come after it.
_BARE = (
    r"(?P<bare>(?:[^\s\"'`,;&|<>\\]|\\(?![\"'nrtu])"
    r"|[,;&|](?![ \t]?[\"']?[A-Za-z_가-힣][\w.\-]{0,40}[\"']?[ \t]?[=:]|\s|$|[\"'}\])]))++)"
)
# In a text within a text, its quotes are escaped.
_ESCAPED = r"\\{1,3}+[\"'](?P<escaped>(?:[^\\\"'\n]|\\\\(?:\\.)?|\\[^\"'\\])++)"
_VALUE = rf"(?:{_ESCAPED}|{_QUOTED}|[\"'`]?{_BARE})"
_NAMED = re.compile(
    rf"(?P<word>{_WORDS})(?P<tail>[A-Za-z0-9_.-]{{0,32}}+)(?:\\{{0,3}}+[\"'`\])]){{0,2}}"
    rf"(?P<sep>[ \t]{{0,8}}(?:=>|:=|={{1,2}}|:|%3[aAdD])[ \t]{{0,8}}){_VALUE}",
    re.IGNORECASE,
)
_SPOKEN = re.compile(
    rf"(?P<word>{_WORDS})(?:[은는이가을를]|\s(?:is|was|to)|(?P<beside>))\s{{1,3}}[\"'`]?(?P<bare>[!#-&(-_a-~]{{4,64}}+)",
    re.IGNORECASE,
)
_ELEMENT = re.compile(
    rf"(?P<word>{_WORDS})(?P<tail>[\w.-]{{0,20}})[\"']?\s?>(?P<bare>[^<>\s][^<>\n]{{0,2000}}+)</", re.I
)
_PAIR = re.compile(
    rf"(?P<word>{_WORDS})(?P<tail>[\w.-]{{0,20}})[\"']\s{{0,3}},?\s{{0,3}}[\"']?value[\"']?\s{{0,3}}[=:]\s{{0,3}}"
    rf"(?:{_QUOTED})",
    re.IGNORECASE,
)
_NEXT = re.compile(rf"(?P<word>{_WORDS})(?P<tail>[\w.-]{{0,20}})[\"']\s{{0,3}},\s{{0,3}}(?:{_QUOTED})", re.IGNORECASE)
_BEHIND = re.compile(
    r"(?:계정(?:\s?정보)?|접속\s?정보|아이디|(?<![a-z])id\s?/\s?p(?:w|ass\w{0,4}))[ \t:=]{1,4}"
    r"[\w.-]{1,32}\s?/\s?(?P<bare>[!-~]{4,64}+)",
    re.IGNORECASE,
)
_FLAG = re.compile(
    r"(?<![\w-])--?(?:[a-z]{1,16}-){0,3}(?P<word>pass(?:word|wd|phrase)?|pw|pwd|token|secret|(?:api|access|secret)-?key"
    rf"|(?:src|dest)?storepass|keypass)[ \t]{{1,4}}(?!-)(?:{_QUOTED}|(?P<bare>[^\s\"'|;&<>]++))",
    re.IGNORECASE,
)

_HARMLESS_TAIL = re.compile(
    r"(?:type|count|counts|length|len|size|expir\w*|exp|ttl|age|polic\w*|name|file|filename|path|dir|url|uri|endpoint"
    r"|enabled|disabled|required|valid\w*|min\w*|max\w*|changed\w*|updated\w*|created\w*|last\w*|reset\w*|attempts?"
    r"|fail\w*|retr\w*|status|state|encoder|encoding|algorithm|algo|hint|field|param\w*|label|prompt|manager|service"
    r"|provider|store|bucket|version|ref|reference|column|rotation|strength|score|error|expired|usage|limit|used"
    r"|lifetime|seconds|minutes|days|hours|ms|class|format|header|mode|source|issuer|audience|scope|scopes"
    r"|authentication|auth|authenticator|check|checker|history|minlen|maxlen|complexity|cnt|err\w*|no|num|yn|dt|date|time|seq"
    r"|level|idx|\.(?:java|py|js|ts|kt|go|cs|php|xml|ya?ml|html|jsp|class|rb))$",
    re.IGNORECASE,
)
_NOTHING = re.compile(
    r"(?:null|none|nil|undefined|true|false|yes|no|empty|blank|unset|unknown|default|n/?a|string|str|text|x{3,}|\*+|[•●.]+"
    r"|-+|_+|redacted|masked|hidden|removed|filtered|\[\w{0,20}\]?|%[sdr]|%\(\w{1,40}\)s?|\{\w{0,40}\}?|<.{0,60}|\?"
    r"|\$\{[\w.-]{1,60}:?\}?|\$\([^)]{0,60}\)?|\$[A-Z_][A-Z0-9_]+|![a-z]{2,12}|%[A-Z_]{2,40}%|\{\{.*|#\{.*|:[a-z_]{1,40})",
    re.IGNORECASE | re.DOTALL,
)
_SENTENCE = frozenset(
    "a an and are at be been by can cannot changed did do does enter expired failed failure field fields for has have"  # noqa: SIM905 - a list of words
    " incorrect invalid is it length maximum may minimum mismatch missing must need needed needs no not of ok on or"
    " passwd password please"
    " policy protected rejected required reset rotated rotation sent set should success successful that the this"
    " to too unchanged updated verified was weak will wrong your accepted authentication granted denied".split()
)
_CIPHER = re.compile(
    r"(?:AES|TLS|SSL|SHA|ARIA|SEED|LEA|RSA|ECDH\w{0,8}|ECDSA|3?DES|MD5|HMAC|CHACHA|KCMVP|PBKDF)(?:[-_0-9]|$)",
    re.IGNORECASE,
)
_HANGUL_ONLY = re.compile(r"[가-힣ㄱ-ㅎ]+[.!]?|[0-9]{1,4}[가-힣].*", re.DOTALL)
_PARSING = re.compile(
    r"(?:unexpected|illegal|invalid|next|bad|near|parse|syntax|bearer|csrf|of|more|input|output)\s$", re.I
)


def _value(match: re.Match[str]) -> Span | None:
    """Where the secret stands, without the brackets around it that aren't part of it."""
    for name in ("escaped", "double", "single", "bare"):
        if name in match.re.groupindex and match[name] is not None:
            start, end = match.span(name)
            if name == "bare":
                end = start + len(_without_closers(match[name]))
            return (start, end) if end > start else None
    return None


def _without_closers(value: str) -> str:
    for closer, opener in (")(", "][", "}{"):
        while value.endswith(closer) and value.count(closer) > value.count(opener):
            value = value[:-1]
    return value.rstrip(",;") if len(value) > 1 else value


def _named(match: re.Match[str]) -> Span | None:
    span = _value(match)
    if span is None:
        return None
    value, word = match.string[slice(*span)], match["word"].lower().replace(" ", "")
    tail = match["tail"] if "tail" in match.re.groupindex else ""
    said = match["sep"].strip() if "sep" in match.re.groupindex else "="
    if re.match(r"[a-z]{2,}", tail) and not re.match(r"hash|value|confirm|text|str|check|new|old|again", tail):
        return None  # another word: a tokenizer, a secretary
    if _HARMLESS_TAIL.search(tail) or (tail.strip("_-.").lower() in ("id", "ids", "s", "key_id") and _is_plain(value)):
        return None
    if _NOTHING.fullmatch(value) or _HANGUL_ONLY.fullmatch(value):
        return None
    return span if _is_secret(match, word, value, said) else None


def _next(match: re.Match[str]) -> Span | None:
    """The argument after the name; a list of names goes on with another name."""
    span = _named(match)
    return span if span is not None and re.search(r"[0-9!@#$%^*]", match.string[slice(*span)]) else None


def _behind(match: re.Match[str]) -> Span | None:
    """`계정 root/…`: what stands after a user's name."""
    value = match["bare"].rstrip(".,)")
    is_mixed = re.search(r"[A-Za-z]", value) and re.search(r"[0-9!@#$%^*]", value)
    return (match.start("bare"), match.start("bare") + len(value)) if is_mixed else None


def _is_secret(match: re.Match[str], word: str, value: str, said: str) -> bool:
    is_quoted = match.string[match.end() - 1 : match.end() + 1].strip() in ('"', "'")
    if said == ":" and not is_quoted and value.strip(".,!?").lower() in _SENTENCE:
        return False
    if word == "pwd":  # also where a shell stands
        return not re.match(r"[/~.]|[A-Za-z]:[\\/]", value)
    if word in ("pass", "pw") and re.fullmatch(r"[0-9.]{1,4}%?|ed|PASS|OK", value):
        return False
    if word == "암호" and _CIPHER.match(value):
        return False
    if word in ("token", "토큰", "secret", "credential", "credentials"):
        return _is_token(match, value, said)
    return True


def _is_token(match: re.Match[str], value: str, said: str) -> bool:
    """`token` is also what parsers, models and counters speak of."""
    is_parsing = _PARSING.search(match.string[max(0, match.start() - 12) : match.start()])
    if is_parsing or (value[:1].isdigit() and _is_plain(value)) or (said == ":" and _is_plain(value)):
        return False
    if not re.search(r"[A-Za-z0-9가-힣]{3}", value):
        return False
    return said != ":" or bool(re.search(r"[0-9]", value)) or len(value) >= 12


def _is_plain(value: str) -> bool:
    """A number, or a word: what a counter or an id is."""
    return bool(re.fullmatch(r"[0-9]{1,8}|[0-9]{1,3}(?:,[0-9]{3})+|[a-z]{1,12}", value))


def _spoken(match: re.Match[str]) -> Span | None:
    """In a sentence: only what no sentence is made of."""
    value = match["bare"].rstrip(".,;:?)]}")
    if not re.search(r"[0-9!@#$%^*_]", value) or re.match(r"[0-9]{1,3}[-~]?[A-Za-z]*$", value):
        return None
    if _NOTHING.fullmatch(value) or "://" in value or "(" in value or _CIPHER.match(value):
        return None
    if match["beside"] is not None and not _is_beside(match["word"], value):
        return None
    start = match.start("bare")
    return start, start + len(value)


def _is_beside(word: str, value: str) -> bool:
    """With nothing between the word and it: letters among signs or, after a Korean word, digits."""
    is_korean = word.endswith(("번호", "비번", "워드", "암호", "키", "시크릿", "토큰"))
    is_mixed = bool(re.search(r"[A-Za-z]", value) and re.search(r"[0-9!@#$%^*]" if is_korean else r"[!@#$%^*]", value))
    return is_mixed and not re.search(r"[=:/]|^-", value) and word.lower() not in ("token", "key", "pass", "pw")


def _flag(match: re.Match[str]) -> Span | None:
    span = _value(match)
    return span if span is not None and not _NOTHING.fullmatch(match.string[slice(*span)]) else None


_NEEDLES: tuple[str, ...] = (
    "pass",
    "pswd",
    "pwd",
    "pw",
    "secret",
    "credential",
    "token",
    "key",
    "비밀",
    "패스",
    "비번",
    "암호",
    "인증",
)
_NEEDLES += ("접근", "api", "시크릿", "토큰")
NAMED = (
    Form("password", _NAMED, _NEEDLES, _named),
    Form("password", _SPOKEN, _NEEDLES, _spoken),
    Form("password", _ELEMENT, _NEEDLES, _named),
    Form("password", _PAIR, _NEEDLES, _named),
    Form("password", _NEXT, _NEEDLES, _next),
    Form("password", _BEHIND, ("계정", "접속", "아이디", "id"), _behind),
    Form("password", _FLAG, _NEEDLES, _flag),
)
