"""What identifies people: numbers that must never be shown, and how they are reached."""

import re
from datetime import UTC, date, datetime, timedelta

from guardia.common.masking.forms import Form, Span

_CENTURIES = {1: 1900, 2: 1900, 5: 1900, 6: 1900, 3: 2000, 4: 2000, 7: 2000, 8: 2000, 9: 1800, 0: 1800}
_SAYS_RRN = re.compile(r"주민|외국인|등록\s?번호|민번|jumin|rrn|rsdn|resident|ssn|registration|(?<![a-z])ihid", re.I)
_SAYS_TIME = re.compile(
    r"(?:time|stamp|epoch|milli\w{0,8}|date|expir\w{0,6}|since|until|start\w{0,4}|end\w{0,4}|last\w{0,12}"
    r"|(?<![a-z])(?:ts|ms|exp|iat|nbf|seq)|_at|At)[\"'\]]{0,2}\s{0,3}[:=]?\s{0,3}[\"'\[(]?$"
)
_LEADS = re.compile(r"\s{1,4}(?:\[|[A-Z]{3}|[0-9])")  # what follows a moment at the beginning of a line
_UNIT = re.compile(r"\s?(?:[nuµm]s|bytes?|[KMG]i?B|원|건|개)(?![A-Za-z])")
_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)


def _resident(match: re.Match[str]) -> Span | None:
    """주민등록번호 and 외국인등록번호: a day that was, and the century's digit that goes with it. The check digit
    alone decides nothing: numbers given since October 2020 have none."""
    digits = match["day"] + match["rest"]
    if not _is_day(digits):
        return None
    around = match.string[max(0, match.start() - 24) : match.start()]
    if match["by"].strip() or _SAYS_RRN.search(around):
        return match.span()
    if not match["by"] and (_is_barcode(digits) or _UNIT.match(match.string, match.end())):
        return None
    is_sure = _is_checked(digits) or not (match["by"] or _is_moment(match, digits, around))  # a space between
    return match.span() if is_sure else None


def _is_moment(match: re.Match[str], digits: str, around: str) -> bool:
    """Milliseconds since 1970, from 2001 to 2033, where a moment stands."""
    if digits[0] != "1":
        return False
    is_first = not around.rpartition("\n")[2] and _LEADS.match(match.string, match.end())
    return bool(is_first or _SAYS_TIME.search(around))


def _is_day(digits: str) -> bool:
    try:
        day = date(_CENTURIES[int(digits[6])] + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return False
    return day <= (datetime.now(UTC) + timedelta(hours=9)).date()  # born in Korea


def _is_checked(digits: str) -> bool:
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=False))
    kinds = {(11 - total % 11) % 10, (13 - total % 11) % 10} if digits[6] in "5678" else {(11 - total % 11) % 10}
    return int(digits[12]) in kinds


def _is_barcode(digits: str) -> bool:
    total = sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(digits))
    return digits.startswith("880") and total % 10 == 0


def _card(match: re.Match[str]) -> Span | None:
    digits = re.sub(r"[- .]", "", match[0])
    return match.span() if _is_brand(digits) and _luhn(digits) else None


def _is_brand(digits: str) -> bool:
    """Whether a card of some brand has this beginning and length."""
    size, two, four = len(digits), int(digits[:2]), int(digits[:4])
    if size == 16:
        return digits[0] == "4" or 51 <= two <= 55 or 2221 <= four <= 2720 or two in (35, 60, 62, 64, 65, 94, 92)
    return (size == 15 and two in (34, 37)) or (size == 14 and two in (30, 36, 38)) or (size == 19 and two == 62)


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * (2 - at % 2 if len(digits) % 2 == 0 else 1 + at % 2) for at, digit in enumerate(digits))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _email(match: re.Match[str]) -> Span | None:
    """An address of a person: no `git@host:path`, no `ssh user@host`, nothing in a URL."""
    text, start, end = match.string, match.start(), match.end()
    after = text[end : end + 2]
    if after[:1] == ":" and after[1:2] not in ("", " ", "\n", "\t", '"', "'") and not after[1:2].isdigit():
        return None
    if after[:1] == "/" or text[max(0, start - 3) : start] == "://":
        return None
    before = text[max(0, start - 160) : start]
    if re.search(r"://[^\s/]{0,150}$", before):  # the end of a password, and a host
        return None
    return None if re.search(r"\b(?:ssh|scp|sftp|rsync|git clone)\s(?:-\S{1,12}\s){0,2}$", before) else match.span()


RESIDENT = Form(
    "resident number",
    re.compile(r"(?<![0-9])(?<![0-9][-.])(?P<day>[0-9]{6})(?P<by>\s?[-~./]\s?|\s|)(?P<rest>[0-9]{7})(?![0-9])"),
    check=lambda match: _resident(match) if _is_apart(match) else None,
)
CARD = Form(
    "card",
    re.compile(
        r"(?<![0-9A-Za-z])(?<![0-9][-.])"
        r"(?:[0-9]{4}(?P<by>[- .]?)[0-9]{4}(?P=by)[0-9]{4}(?P=by)[0-9]{4}(?:(?P=by)[0-9]{3})?"
        r"|3[0-9]{3}(?P<of>[- .]?)[0-9]{6}(?P=of)[0-9]{4,5})(?![0-9A-Za-z])(?![-.][0-9])"
    ),
    check=_card,
)
PHONE = Form(
    "phone",
    re.compile(
        r"(?<![0-9A-Za-z])(?<![0-9][-.])(?:"
        r"(?:(?:\+|00)82[-. ]{0,2}|82[-. ])(?:\(0\)|0)?(?:1[016-9]|2|[3-6][0-9]|70|50[0-9]?)"
        r"[-. )]{0,2}[0-9]{3,4}[-. ]?[0-9]{4}"
        r"|(?:\(01[016-9]\)|01[016-9])[-. ]{0,2}[0-9]{3,4}[-. ]?[0-9]{4}"
        r"|(?:\(?0(?:2|[3-6][1-9]|70|50[0-9])\)[-. ]?|0(?:2|[3-6][1-9]|70|50[0-9])[-. ])[0-9]{3,4}[-. ][0-9]{4}"
        r")(?![0-9A-Za-z])(?![-.][0-9])"
        r"|(?:(?<=전화)|(?<=전화번호)|(?<=연락처)|(?<=tel)|(?<=phone)|(?<=fax)|(?<=팩스))[\s:=\"]{1,4}"
        r"(?P<secret>0(?:2|[3-6][1-9])[0-9]{7,8})(?![0-9])"
    ),
    check=lambda match: match.span("secret") if match["secret"] else match.span(),
)
EMAIL = Form(
    "e-mail",
    re.compile(
        r"(?<![\w.%+-])[A-Za-z0-9._%+-]{1,64}+@(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,18}(?![A-Za-z0-9-])", re.ASCII
    ),
    needles=("@",),
    check=_email,
)
#: What only a table of a database is full of; elsewhere too much else looks the same.
IN_TABLES = (
    Form("passport", re.compile(r"\b[A-Z]{1,2}[0-9]{7,8}\b|\b[A-Z][0-9]{3}[A-Z][0-9]{4}\b")),
    Form("driving licence", re.compile(r"\b[0-9]{2}-[0-9]{2}-[0-9]{6}-[0-9]{2}\b")),
    Form("account", re.compile(r"\b[0-9]{2,6}-[0-9]{2,6}-[0-9]{2,8}(?:-[0-9]{1,4})?\b")),
    Form("resident number", re.compile(r"\b[0-9]{6}-?[0-9]{7}\b")),
    Form("card", re.compile(r"\b[0-9]{4}[- ]?[0-9]{4}[- ]?[0-9]{4}[- ]?[0-9]{4}\b")),
    Form("phone", re.compile(r"\b0[0-9]{1,2}[-. ]?[0-9]{3,4}[-. ]?[0-9]{4}\b")),
)


def _is_apart(match: re.Match[str]) -> bool:
    """Thirteen digits in one piece inside a word are something else's; with a hyphen a label may stand before them."""
    before = match.string[match.start() - 1 : match.start()] if match.start() else ""
    after = match.string[match.end() : match.end() + 1]
    is_glued = (before.isascii() and before.isalpha() and not match["by"]) or (after.isascii() and after.isalpha())
    is_decimal = after == "." and match.string[match.end() + 1 : match.end() + 2].isdigit()
    return not (is_glued or is_decimal)
