"""Finds explicit hosts (names, addresses) and mentions of hosts by role and number."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .catalogue import Catalogue, ServerEntry
from .normalise import Normalised, ocr_key
from .numbers import NATIVE, SINO, spoken_number
from .vocabulary import (
    ALL_WORD,
    HOST_WORD,
    NEEDS_HOST_WORD,
    NOT_MEANT,
    NUMBER,
    ONLY,
    ROLE_WORDS,
    SOURCE_AFTER,
    SOURCE_BEFORE,
)  # fmt: skip

_ADDRESS = re.compile(r"(?<![\w.])[\doil]{1,3}(?:\.[\doil]{1,3}){3}(?![\w]|\.\d|/\d)")
_PIECE = re.compile(r"[a-z0-9|]+")
_JOINT = re.compile(r" ?[-_] ?")
_MAX_PIECES = 8
_MORE_NUMBERS = re.compile(r"\s?([~,/·]|및|와|과)\s?(\d{1,3})(?![\d.:\-/%가-힣]|\s?(?:포트|번|시|분|월|일|년|tcp|udp))")
_MASK = re.compile(
    r"(?<![\w/])/[\w./\-]+|(?<![\w\-])[\w\-]{1,80}(?:\.[\w\-]{1,40}){0,6}\.(?:war|jar|ear|zip|sh|py|log|out|xml|conf|json|csv|xlsx?|html?|sql|"
    r"properties|ya?ml|tar|gz|jks|pfx|crt|pem)\b|https?://\S+|(?<![\w.])[\w.]{1,64}@[\w.]{1,80}|\btb_\w+"
)
_ROLE = re.compile(
    "|".join(
        rf"(?P<{role}>(?<![a-z0-9/._\-재])(?:{words})(?![a-z]|\.[a-z]|/[a-z0-9]))" for role, words in ROLE_WORDS.items()
    )
)
_NOT_WEB_HOST = re.compile(
    r"\s?(?:페이지|사이트|취약|브라우저|화면|메일|접속|접근성|표준|하드|로직|쉘|셸|뷰|앱|팩|shell|진단|에디터)"
)
_HOST_WORD = re.compile(rf"\s?(?:{HOST_WORD})s?")
_UNIT = r"(?:호기|번째|번(?!\s?포트)|호(?!출))"
_NOT_HOST_NUMBER = (
    r"(?![\d.:/%]|\s?(?:시|분|월|일(?!\w*호)|년|주|초|gb|mb|g\b|m\b|k\b|개|대|건|포트|번\s?포트|tcp|udp|차|배|회|단계))"
)
_NUMBER_ITEM = re.compile(
    rf"(?:{HOST_WORD})?[-#_(\[]?\s?(?:(?P<digits>\d{{1,2}})\s?(?:{_UNIT}|{_NOT_HOST_NUMBER})"
    rf"|(?P<sino>{SINO}{{1,3}})\s?(?:호기|번(?!\s?포트|에\s?[새배반적]|\s?[주달년월]))|(?P<native>{NATIVE})\s?(?:번?째|호기))(?:\s?(?:거|꺼|것|놈)(?![가-힣]))?"
)
_SEPARATOR = re.compile(
    r"\s?(,|·|/|~|-|&|및|와|과|이랑|랑|하고|and|ㆍ|번과|호기와)\s?(?:was|web|와스|웹|db|batch)?\s?-?"
)
_COUNT = re.compile(rf"\s?\(?(?:총\s?)?({NUMBER})\s?(?:대|개|식|노드)(?!\s?씩|[가-힣]*\s?포트)")
_ALL = re.compile(rf"\s?\(?(?:들|서버)?\s?(?:{ALL_WORD})")
_BARE_NUMBERS = re.compile(rf"(?<![\d가-힣])((?:{NUMBER})(?:\s?[,·/~]\s?{NUMBER})*)\s?호기")
_NUMBER_THEN_HOST = re.compile(rf"(?<![\d가-힣])({NUMBER})\s?번째?\s?(?:거|꺼)?\s?(?=(?:{HOST_WORD}|was|web|와스|웹))")
_ENGLISH = re.compile(r"\b(first|second|third|1st|2nd|3rd)\s(?=was|web|db|batch|node|server)")
_ENGLISH_VALUE = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3}
_MAX_RANGE = 64


@dataclass(frozen=True, slots=True)
class ExplicitHosts:
    """Hosts written by name or address; `spans` are offsets in the text, `sources` are the sending side of a rule."""

    servers: tuple[ServerEntry, ...]
    sources: tuple[ServerEntry, ...]
    unknown_system: str | None  # the prefix belongs to this system, but no such host exists
    spans: tuple[tuple[int, int], ...]
    dropped: tuple[ServerEntry, ...]


@dataclass(frozen=True, slots=True)
class Mention:
    """ "was 2호기", "웹서버 두 대", "3호기": a role (None: not said) with numbers, a count or "all"."""

    role: str | None
    numbers: tuple[int, ...]
    count: int | None
    everything: bool
    host_word: bool
    start: int
    dropped: bool
    only: bool
    source: bool


def explicit_hosts(doc: Normalised, catalogue: Catalogue, directional: bool) -> ExplicitHosts:
    """Return the hosts named outright; with `directional`, "from" hosts are set apart."""
    kept: list[ServerEntry] = []
    sources: list[ServerEntry] = []
    dropped: list[ServerEntry] = []
    spans: list[tuple[int, int]] = []
    unknown: str | None = None
    for start, end, found, owner in (*_addresses(doc, catalogue), *_hostnames(doc, catalogue)):
        spans.append((start, end))
        if not found:
            unknown = unknown or owner
            continue
        tail = "".join(doc.lower[end : end + 40].split())
        head = "".join(doc.lower[max(0, start - 16) : start].split())
        if NOT_MEANT.match(tail):
            dropped += found
        elif directional and (SOURCE_AFTER.match(tail) or SOURCE_BEFORE.search(head)):
            sources += found
        else:
            kept += found
    return ExplicitHosts(tuple(dict.fromkeys(kept)), tuple(sources), unknown, tuple(spans), tuple(dropped))


_Found = tuple[int, int, tuple[ServerEntry, ...], str | None]


def _addresses(doc: Normalised, catalogue: Catalogue) -> Iterator[_Found]:
    for match in _ADDRESS.finditer(doc.lower):
        parts = [part.lstrip("0") or "0" for part in ocr_key(match.group()).split(".")]
        hosts = catalogue.hosts_by_ip.get(".".join(parts), ())
        if len(hosts) != 1:
            continue
        last, end = _more(doc.lower, match.end(), int(parts[-1]))
        more = [catalogue.hosts_by_ip.get(".".join((*parts[:-1], str(number))), ()) for number in last]
        yield match.start(), end, (*hosts, *(group[0] for group in more if len(group) == 1)), None


def _hostnames(doc: Normalised, catalogue: Catalogue) -> Iterator[_Found]:
    pieces = list(_PIECE.finditer(doc.lower))
    index = 0
    while index < len(pieces):
        last = index
        while last + 1 < len(pieces) and last - index < _MAX_PIECES - 1 and _joined(doc.lower, pieces, last):
            last += 1
        step = 1
        for stop in range(last, index - 1, -1):
            start, end = pieces[index].start(), pieces[stop].end()
            if stop == index and not any(char.isdigit() for char in pieces[index].group()):
                break
            found = _lookup([piece.group() for piece in pieces[index : stop + 1]], catalogue)
            if found is None or (start and doc.lower[start - 1] == "/") or doc.lower[end : end + 4] == ".log":
                continue
            hosts, owner = found
            if hosts:
                numbers, end = _more(doc.lower, end, hosts[0].number)
                hosts = (*hosts, *_siblings(hosts[0], numbers, catalogue))
            yield start, end, hosts, owner
            step = stop - index + 1
            break
        index += step


def _joined(text: str, pieces: list[re.Match[str]], index: int) -> bool:
    return bool(_JOINT.fullmatch(text[pieces[index].end() : pieces[index + 1].start()]))


def _lookup(parts: list[str], catalogue: Catalogue) -> tuple[tuple[ServerEntry, ...], str | None] | None:
    name = "-".join(parts)
    if exact := catalogue.server_by_name.get(name):
        return (exact,), None
    key = ocr_key(name)
    hosts = catalogue.hosts_by_key.get(key, ())
    if len(hosts) == 1:
        return hosts, None
    shape = re.fullmatch(r"(.+?)-?(?:was|web|db|batch|lb|w0s|1b)-?\d+", key.replace("ba7ch", "batch"))
    owner = catalogue.system_by_prefix.get(shape.group(1)) if shape else None
    return ((), owner) if owner else None


def _more(text: str, end: int, first: int) -> tuple[list[int], int]:
    """Numbers of "…-01~03" or "…-01, 02" after the first one, and the offset behind them."""
    numbers: list[int] = []
    while len(numbers) < _MAX_RANGE and (match := _MORE_NUMBERS.match(text, end)):
        value = int(match.group(2))
        if match.group(1) == "~":
            numbers += range((numbers or [first])[-1] + 1, min(value, first + _MAX_RANGE) + 1)
        else:
            numbers.append(value)
        end = match.end()
    return numbers, end


def _siblings(host: ServerEntry, numbers: list[int], catalogue: Catalogue) -> tuple[ServerEntry, ...]:
    hosts = catalogue.servers_by_system[host.system]
    return tuple(other for other in hosts if other.role == host.role and other.number in numbers)


def mentions(doc: Normalised, spans: tuple[tuple[int, int], ...]) -> list[Mention]:
    """Return the mentions outside `spans` (explicit hosts), paths and file names, in the order of the text."""
    text = _masked(doc.lower, spans)
    english = sum("가" <= char <= "힣" for char in text) < 3
    found: list[Mention] = []
    used: list[tuple[int, int]] = []
    for match in _ROLE.finditer(text):
        role = str(match.lastgroup)
        written = doc.text[match.start() : match.end()]
        bare_verb = english and written == "was" and not re.match(r"[-#]?\d|\s?(?:server|node|\d)", text[match.end() :])
        if bare_verb or (role == "web" and _NOT_WEB_HOST.match(text, match.end())):
            continue
        mention, end = _after_role(text, match, role)
        found.append(mention)
        used.append((match.start(), end))
    found += _loose_numbers(text, found, used)
    return sorted(found, key=lambda mention: mention.start)


def _masked(text: str, spans: tuple[tuple[int, int], ...]) -> str:
    chars = list(text)
    for start, end in (*spans, *(match.span() for match in _MASK.finditer(text))):
        chars[start:end] = "\x00" * (end - start)
    return "".join(chars)


def _after_role(text: str, match: re.Match[str], role: str) -> tuple[Mention, int]:
    end = match.end()
    if host_word := _HOST_WORD.match(text, end):
        end = host_word.end()
    everything = bool(before := _ALL.match(text, end))
    probe = before.end() if before else end
    numbers, after = _number_list(text, probe, role in NEEDS_HOST_WORD and not host_word)
    count = None
    if numbers:
        end = after
    elif counted := _COUNT.match(text, end):
        count, end = spoken_number(counted.group(1)), counted.end()
        everything = everything or bool(re.match(r"\s?(?:에\s?)?(?:다\b|모두|전부)", text[end:]))
    elif before:
        end = before.end()
    meant = bool(host_word) or bool(numbers) or role not in NEEDS_HOST_WORD
    return _mention(text, role, numbers, count, everything, meant, match.start(), end), end


def _mention(
    text: str, role: str | None, numbers: tuple[int, ...], count: int | None, everything: bool, host_word: bool,
    start: int, end: int,
) -> Mention:  # fmt: skip
    tail = "".join(text[end : end + 40].split())
    return Mention(
        role, numbers, count, everything, host_word, start,
        bool(NOT_MEANT.match(tail)), bool(ONLY.match(tail)), bool(SOURCE_AFTER.match(tail)),
    )  # fmt: skip


def _number_list(text: str, start: int, digits_only: bool) -> tuple[tuple[int, ...], int]:
    numbers: list[int] = []
    end, link = start, ""
    position = start + (1 if text[start : start + 1] == " " else 0)
    while len(numbers) < _MAX_RANGE and (item := _NUMBER_ITEM.match(text, position)):
        if digits_only and not item["digits"] and "호기" not in item.group():
            break
        value = spoken_number(item["digits"] or item["sino"] or item["native"])
        if value is None:
            break
        if link in ("~", "-") and numbers:
            numbers += range(numbers[-1] + 1, min(value, numbers[-1] + _MAX_RANGE) + 1)
        else:
            numbers.append(value)
        end = item.end()
        separator = _SEPARATOR.match(text, end)
        if not separator:
            break
        link, position = separator.group(1), separator.end()
    return tuple(dict.fromkeys(numbers)), end


def _loose_numbers(text: str, roles: list[Mention], used: list[tuple[int, int]]) -> Iterator[Mention]:
    for pattern in (_BARE_NUMBERS, _NUMBER_THEN_HOST, _ENGLISH):
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(low < end and start < high for low, high in used):
                continue
            numbers = _values(match.group(1))
            following = [mention for mention in roles if 0 <= mention.start - end <= 1]
            earlier = [mention for mention in roles if mention.start < start]
            role = following[0].role if following else earlier[-1].role if earlier else None
            if pattern is not _BARE_NUMBERS and not following and role is None:
                role = None
            yield _mention(text, role, numbers, None, False, True, start, end)


def _values(words: str) -> tuple[int, ...]:
    if words in _ENGLISH_VALUE:
        return (_ENGLISH_VALUE[words],)
    numbers: list[int] = []
    for link, word in re.findall(r"([,·/~]?)\s?([^\s,·/~]+)", words):
        value = spoken_number(word)
        if value is not None and link == "~" and numbers:
            numbers += range(numbers[-1] + 1, min(value, numbers[-1] + _MAX_RANGE) + 1)
        elif value is not None:
            numbers.append(value)
    return tuple(dict.fromkeys(numbers))
