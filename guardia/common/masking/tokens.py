"""Secrets that are known by what they look like, or by the program, header or statement they are given to."""

import base64
import binascii
import re

from guardia.common.masking.forms import Form, Span

_VALUE = r"(?:\"(?P<double>[^\"\n]{1,256})\"|'(?P<single>[^'\n]{1,256})'|(?P<bare>[^\s\"'`;|&<>()]++))"


def _given(match: re.Match[str]) -> Span | None:
    name = next(name for name in ("double", "single", "bare") if match[name] is not None)
    is_reference = re.fullmatch(r"\$\{?\w+\}?|\$\([^)]*\)?|<\w*>?|\*+|:\w+|\?|%s", match[name])
    return None if is_reference else match.span(name)


def _user_and_password(match: re.Match[str]) -> Span | None:
    """`-u name:password`, but no `-u 1000:1000`."""
    return None if re.fullmatch(r"[0-9]+:[0-9]+|\$\{?\w+\}?:\$\{?\w+\}?", match["both"]) else match.span("secret")


def _jwt(match: re.Match[str]) -> Span | None:
    head = match[0].split(".", 1)[0]
    try:
        clear = base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))
    except (binascii.Error, ValueError):
        clear = b""
    return match.span() if "." in match[0] or b'"alg"' in clear else None


def _in_url(match: re.Match[str]) -> Span | None:
    """`scheme://user:password@host`; a port, a path or an address in a query is none."""
    start, rest = match.start("rest"), match["rest"]
    port = re.match(r"[0-9]{1,5}(?![^/?#])", rest)
    first = rest.find("@")
    if first < 1 or port is not None or re.match(r"[0-9]{1,5}[?#]", rest):
        return None
    slash = rest.find("/", first)  # one before it belongs to the password, however wrong that is
    before = rest[:slash] if slash >= 0 else rest
    at = before.rfind("@")
    value = before[:at]
    return None if re.fullmatch(r"\$\{[\w.-]+\}|\*+|%s|\{\w*\}|<\w+>", value) else (start, start + at)


def _header(match: re.Match[str]) -> Span | None:
    """What stands behind `Authorization` and its scheme."""
    value, start = match["value"], match.start("value")
    scheme = (match["scheme"] or "").strip().lower()
    if scheme.startswith(("digest", "aws4", "hmac", "signature")):
        return None  # of parts, of which some are secret: _SIGNATURE
    word = re.match(r"[^\s,;\\\])}]+", value)
    if word is None or (not scheme and not re.search(r"[0-9]", word[0])) or len(word[0]) < 6:
        return None
    return None if re.fullmatch(r"\$\{?\w+\}?|<.*|\*+", word[0]) else (start, start + word.end())


def _scheme(match: re.Match[str]) -> Span | None:
    """`Bearer …` and `Basic …` without the header's name: both are words, too."""
    value, span = match["value"], match.span("value")
    if match["scheme"].lower() == "bearer":
        if "=" in value.rstrip("="):
            return None
        return span if re.search(r"[0-9]", value) or len(value) >= 24 else None
    try:
        return span if b":" in base64.b64decode(value + "=" * (-len(value) % 4), validate=True) else None
    except (binascii.Error, ValueError):
        return None


def _cookie(match: re.Match[str]) -> Span | None:
    value, name = match["secret"], match["name"].lower()
    is_short = len(value) < (16 if name in ("sid", "session") else 8) or (value.isdigit() and len(value) < 16)
    is_word = match["colon"] is not None and (len(value) < 16 or not re.search(r"[0-9]", value))
    return None if is_short or (is_word and match["colon"][-1:] not in "\"'") else match.span("secret")


_PREFIXED = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])|gh[pousr]_[A-Za-z0-9]{20,}+"
    r"|github_pat_\w{20,}+|gl(?:pat|dt|rt|cbt|ptt|ft|soat)-[\w-]{16,}+|xox[abeoprs]-[\w-]{10,}+|xapp-[\w-]{10,}+"
    r"|AIza[\w-]{30,}+|ya29\.[\w-]{20,}+|(?:sk|rk|pk)_(?:live|test)_\w{10,}+|sk-(?:ant-|proj-)?[\w-]{20,}+|npm_\w{30,}+"
    r"|pypi-[\w-]{40,}+|SG\.[\w-]{16,40}\.[\w-]{16,}+|hv[sbr]\.[\w-]{20,}+"
    r"|dop_v1_\w{40,}+|hf_\w{30,}+|grd_[\w-]{20,}+|AGE-SECRET-KEY-1\w{40,}+|EAACEdEose0cBA\w{10,}+|LTAI\w{12,}+"
    r"|glc_[\w+/=]{30,}+|dckr_pat_[\w-]{20,}+|shp(?:at|ss|ca|pa)_\w{20,}+|sq0\w{3}-[\w-]{20,}+)"
)
_HASH = re.compile(
    r"(?<![\w$])\$(?:1|2[abxy]?|5|6|7|y|gy|apr1|argon2(?:i|d|id))\$[^\s:\"'\\]{8,}+"
    r"|\{(?:S?(?:SHA|MD5)(?:256|384|512)?|CRYPT)\}[\w+/=$.]{12,}+"
    r"|(?<!\w)(?:pbkdf2_sha(?:1|256|512)|SCRAM-SHA-256|scrypt)\$[^\s\"'\\]{16,}+|(?<![\w*])\*[0-9A-F]{40}(?!\w)"
)
_URL = re.compile(r"(?<=[A-Za-z0-9])://[^\s/:@?#\"'<>]{0,128}:(?P<rest>[^\s\"'<>]{1,400}+)")
_AUTHORIZATION = re.compile(
    r"authorization(?:\\{0,3}[\"']){0,2}[ \t]{0,4}[:=,][ \t]{0,4}(?:\\{0,3}[\"']|\[){0,2}"
    r"(?P<scheme>(?:bearer|basic|digest|negotiate|ntlm|token|apikey|signature|hmac[\w-]{0,12}|aws4[\w-]{0,16})"
    r"[ \t]{1,4})?"
    r"(?P<value>[^\"'\r\n]++)",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"(?<![A-Za-z])(?:response|(?:X-Amz-)?Signature|X-Amz-Security-Token|sig)=[\"']?(?P<secret>[\w%+/=-]{16,}+)", re.I
)
_SCHEMES = re.compile(r"(?<![\w-])(?P<scheme>bearer|basic)\s{1,4}(?P<value>[\w.~+/=-]{8,}+)", re.IGNORECASE)
_COOKIES = re.compile(
    r"(?<![\w.-])(?P<name>JSESSIONID(?:SSO)?|PHPSESSID|ASPSESSIONID\w{0,12}|ASP\.NET_SessionId|connect\.sid|sess(?:ion)?"
    r"(?:[_-]?(?:id|token|key))?|[\w-]{0,24}_?session(?:_?id)?|sid|(?:csrf|xsrf)[_-]?token|remember[_-]?me|SSO[_-]?\w{0,12}"
    r"|WMONID|CFTOKEN|auth[_-]?(?:cookie|session))(?:=|(?P<colon>[\"']?: ?[\"']?))(?P<secret>[^\s;,\"'&<>?\\|)\]}]++)",
    re.IGNORECASE,
)
_LOGINS = r"(?:docker|podman|nerdctl|helm|oc|az|cf|skopeo|buildah)"
_ORACLE = r"(?:\"(?P<double>[^\"\n]{1,64})\"|'(?P<single>[^'\n]{1,64})'|(?P<bare>[^\s@/\"';|&]++))"
_ECHOED = r"(?:\"(?P<double>[^\"\n]{1,128})\"|'(?P<single>[^'\n]{1,128})'|(?P<bare>[^\s|;&\"']{1,128}))"
#: (needles, what stands before the secret and how it is written)
_COMMANDS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = tuple(
    (needles, re.compile(pattern, re.IGNORECASE if needles[0] in ("identified", "password ", "set ") else 0))
    for needles, pattern in (
        (
            ("mysql", "mariadb"),
            r"\b(?:mysql(?:dump|admin|import|check|show)?|mariadb(?:-\w{1,10})?)\b[^\n|;]{0,160}?\s-p(?![\s-])"
            + _VALUE,
        ),
        (("login",), rf"\b{_LOGINS}\b[^\n|;]{{0,60}}?\blogin\b[^\n|;]{{0,160}}?\s-p\s{{1,4}}" + _VALUE),
        (
            ("set ", "setx "),
            r"\bsetx?\s{1,4}\S{0,80}(?:password|secret\w{0,24}|token|requirepass|masterauth)\s{1,4}(?!=|to\b)" + _VALUE,
        ),
        (("requirepass", "masterauth"), r"(?m)^\s{0,8}(?:requirepass|masterauth)\s{1,4}" + _VALUE),
        (("sshpass",), r"\bsshpass\s{1,4}-p\s{0,4}" + _VALUE),
        (("redis-cli", "valkey-cli"), r"\b(?:redis|valkey)-cli\b[^\n|;]{0,120}?\s(?:-a|--pass)[ \t=]{1,4}" + _VALUE),
        (
            ("ldap", "smbclient", "rabbitmqadmin"),
            r"\b(?:ldap(?:search|modify|add|delete|whoami|passwd)|smbclient|rabbitmqadmin)\b[^\n|;]{0,200}?\s-[wp]\s{1,4}"
            + _VALUE,
        ),
        (("htpasswd",), r"\bhtpasswd\s{1,4}-\w{0,6}b\w{0,6}\s{1,4}\S{1,120}\s{1,4}\S{1,64}\s{1,4}" + _VALUE),
        (("net ",), r"\bnet\s{1,4}user\s{1,4}[\w.-]{1,40}\s{1,4}(?!/)" + _VALUE),
        (("pass:",), r"(?<![\w-])pass(?:in|out)?[ \t]{1,4}pass:" + _VALUE),
        (
            ("identified",),
            r"\bIDENTIFIED\s{1,4}(?:WITH\s{1,4}[\w'\"]{1,40}\s{1,4})?(?:BY|AS)\s{1,4}(?:(?:PASSWORD|VALUES)\s{1,4})?"
            + _VALUE,
        ),
        (("password ", "password("), r"\bPASSWORD(?:\s{1,4}|\s{0,4}\(\s{0,4})(?=')" + _VALUE),
        (
            ("sqlplus", "rman", "expdp", "impdp", "sqlldr", "exp ", "imp ", "tbsql", "tbexport"),
            r"\b(?:sqlplus|rman|expdp|impdp|sqlldr|exp|imp|tbsql|tbexport)\b[^\n|;/]{0,60}?[\s=][A-Za-z][\w$#]{0,30}/"
            + _ORACLE,
        ),
        (("jdbc:",), r"jdbc:(?:oracle|tibero):[a-z]{2,8}:[A-Za-z][\w$#]{0,30}/" + _ORACLE),
        (("@tcp(", "@unix("), r"(?<![\w.-])[\w.-]{1,64}:" + _ECHOED.replace(r"\s|;&", r"\s@") + r"@(?:tcp|unix)\("),
        (
            ("echo",),
            r"\becho\s{1,4}(?:-[ne]{1,2}\s{1,4})?"
            + _ECHOED
            + r"\s{0,4}\|\s{0,4}(?:sudo\s{1,4}(?:-S\b|passwd|chpasswd)|passwd\s{1,4}--stdin|chpasswd)",
        ),
    )
)
_WITH_USER = re.compile(
    r"\b(?:curl|wget|http|https|svn|lftp|nexus|mc)\b[^\n|;]{0,300}?\s(?:-u|--user|--proxy-user|-U)[ \t=]{0,4}[\"']?"
    r"(?P<both>[^\s:\"']{1,64}:(?P<secret>[^\s\"']++))"
)

_PREFIXES: tuple[str, ...] = (
    "akia",
    "asia",
    "abia",
    "acca",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
)
_PREFIXES += (
    "glrt-",
    "glcbt-",
    "glptt-",
    "glft-",
    "glsoat-",
    "xox",
    "xapp-",
    "aiza",
    "ya29.",
    "_live_",
    "_test_",
    "sk-",
)
_PREFIXES += ("npm_", "pypi-", "sg.", "hvs.", "hvb.", "hvr.", "dop_v1_", "hf_", "grd_", "age-secret", "eaaced", "ltai")
_PREFIXES += ("glc_", "dckr_pat_", "shpat_", "shpss_", "shpca_", "shppa_", "sq0")
_HASHES: tuple[str, ...] = (
    "$1$",
    "$2",
    "$5$",
    "$6$",
    "$7$",
    "$y$",
    "$gy$",
    "$apr1$",
    "$argon2",
    "{s",
    "{md5",
    "{crypt",
    "pbkdf2_",
    "scram-",
)
_HOOK = re.compile(
    r"(?:hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/[0-9]{1,24}/)(?P<secret>[\w/-]{8,}+)"
)
_AT_HOST = re.compile(
    r"(?<![\w./:-])[A-Za-z][\w.-]{0,31}:(?P<secret>[^\s:@/\"'<>]{2,64}+)@(?=[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[\w.-]{1,100}:[0-9]{2,5}(?![0-9]))"
)


TOKENS = (
    Form("token", _PREFIXED, _PREFIXES),
    Form("token", re.compile(r"(?<![\w-])eyJ[\w-]{8,4000}+(?:\.[\w-]*+){0,4}+"), ("eyj",), _jwt),
    Form("token", _HOOK, ("hooks.slack", "webhooks/")),
    Form("password", _AT_HOST, ("@",)),
    Form("password hash", _HASH, (*_HASHES, "scrypt$", "*")),
    Form("password", _URL, ("://",), _in_url),
    Form("authorization", _AUTHORIZATION, ("authorization",), _header),
    Form("authorization", _SIGNATURE, ("response=", "signature=", "token=", "sig=")),
    Form("authorization", _SCHEMES, ("bearer", "basic"), _scheme),
    Form("session", _COOKIES, ("sess", "sid", "csrf", "xsrf", "remember", "sso", "wmonid", "cftoken", "auth"), _cookie),
    *(Form("password", pattern, needles, _given) for needles, pattern in _COMMANDS),
    Form("password", _WITH_USER, ("-u", "--proxy-user"), _user_and_password),
)
