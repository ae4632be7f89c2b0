"""Masks what looks like a secret in text that is about to be logged or stored. A net, not the rule: the rule is
never to pass a secret in."""

import re

MASK = "********"

_PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(?i)\b(?:bearer|basic)\s+(?P<secret>[a-z0-9._~+/=-]{8,})"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    re.compile(
        r"(?i)\b(?:password|passwd|pwd|passphrase|secret|api[_-]?key|token|비밀번호|패스워드|암호)"
        r"[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?P<secret>[^\s\"',;&]{3,})"
    ),
    re.compile(r"(?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,64}:(?P<secret>[^\s/@]{1,128})@"),
    re.compile(r"\b\d{6}-?[1-8]\d{6}\b"),
)


def mask(text: str) -> str:
    """`text` with secrets replaced by a mask; the words around them stay readable."""
    for pattern in _PATTERNS if text else ():
        text = pattern.sub(_masked, text)
    return text


def _masked(match: re.Match[str]) -> str:
    if "secret" not in match.re.groupindex:
        return MASK
    start, end = match.span("secret")
    whole = match.group(0)
    return whole[: start - match.start()] + MASK + whole[end - match.start() :]
