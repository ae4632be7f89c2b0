"""What a command prints, where that is certain enough to judge by: no text that the line itself brings in may pass for a tame one."""

import posixpath
import re
from collections.abc import Sequence

from execution.command_check.context import STAR, TAME, is_static
from execution.command_check.do_search import roots_of

_AWKS = frozenset(("awk", "gawk", "mawk", "nawk"))
_GREPS = frozenset(("grep", "egrep", "fgrep"))
#: They print words without a slash, whatever their options.
_WORDS = frozenset(("hostname", "whoami", "nproc", "arch", "logname", "uname", "id"))
#: Of the tables that these print, the columns without a slash.
_COLUMNS = {
    "ps": range(1, 6), "ss": range(1, 6), "netstat": range(1, 6), "df": range(2, 6), "lsof": range(1, 5), "docker": range(1, 2),
    "kubectl": range(1, 6), "jps": range(1, 2), "pgrep": range(1, 2), "wc": range(1, 2), "du": range(1, 2), "md5sum": range(1, 2),
    "sha256sum": range(1, 2), "systemctl": range(1, 5),
}  # fmt: skip
#: Formats of these would bring in text of the line's own.
_FORMATTED = re.compile(r"-{1,2}(?:format|out|template|o|d).*|-\w*[od]\b.*")
_NUMBERS = re.compile(r"(?:p?pid|%?cpu|%?mem|pcpu|pmem|rss|vsz|nlwp|etimes|user|stat|uid|[=,])+")
_KERNEL = re.compile(r"/proc/(?:meminfo|loadavg|uptime|stat|cpuinfo)")
_MOMENT = r"%[-_0^#]?[A-CE-Ya-wyz]"
_DATE = re.compile(rf"\+(?!-)(?:{_MOMENT}|[\w:., 가-힣-])*")
_PLAIN_DATE = re.compile(rf"\+{_MOMENT}(?:{_MOMENT}|[_:., -])*")
_SET = r"(?:[\w ,.:]|\\n|\[?a-z\]?|\[?A-Z\]?|\[:(?:lower|upper):\])"
_SED = r"(?:s(?P<sign>[/|#,])(?:(?!(?P=sign))[^\0\\])*(?P=sign)[\w ]*(?P=sign)g?|\d+(?:,\d+)?[pd]|/[^/\0]*/[pd]|\$[pd])"
#: They pick out of what they read, and put in nothing but letters: no file of their own, no dash, no slash.
_FILTERS = re.compile(
    rf"(?:head|tail)(?:\0-n\0?\+?\d+|\0-\d+|\0-q)*|(?:sort|uniq)(?:\0-[bcdfghiMnrRuV]+|\0-k\0?[\d,.nr]+)*|wc\0-[clwmL]+"
    r"|cut(?:\0-d\0?[^\0])?(?:\0-[fc]\0?[\d,-]+)(?:\0-d\0?[^\0])?"
    rf"|tr\0-[cC]?(?:d|dc|dC)\0[^\0]+|tr\0(?:-[cs]+\0)?[^\0]+(?:\0{_SET})|tr\0-s\0[^\0]+|sed\0(?:-[nEr]+\0)?(?:-e\0)?{_SED}"
)
_PICKS = re.compile(r"-(?:[ivwEFxn]+|m\d+)")
_PRINTED = re.compile(r"\bprintf?\b([^;}|>]*)")
_ARGUMENTS = re.compile(r"(?:\$[1-9]\d?|\$NF\b|\"(?:[\w .,:=]|%(?:d|s|\.\df|%))*\"|[\w.]+|[-+*/%(),\s])+")
_OWN = re.compile(
    r"(?<![=!<>+*/-])=(?![=~])|\b(?:in|sub|gsub|gensub|split|match|substr|sprintf|getline|FILENAME|ENVIRON|ARGV|O?FS|O?RS|SUBSEP)\b|%c|@"
)


def output_of(*commands: Sequence[str]) -> str | None:
    """The text that stands for the output of a pipe; None where it isn't known."""
    first, *filters = commands
    if not filters and not _KERNEL.fullmatch(first[-1]):
        return _output_of_one(first)
    last = filters[-1] if filters else first
    if filters and (_counts(last, operands=1) or re.fullmatch(r"wc\0-[clwmL]", "\0".join(last))):
        return TAME
    if first[0] in ("ls", "find") and all(_picks_lines(command) for command in filters):
        return _listed(first)
    if first[0] == "cat" and len(first) == 2 and first[1].endswith(".pid") and all(map(_keeps, filters)):
        return TAME
    if _KERNEL.fullmatch(first[-1]):
        filters = [*([] if first[0] == "cat" else [first[:-1]]), *filters]
        first = ("free",)
    return TAME if _is_tame(first, filters) else None


def _is_tame(first: Sequence[str], filters: Sequence[Sequence[str]]) -> bool:
    if first[0] in ("echo", "free", "uptime") or first[0] in _WORDS:
        is_plain = all(re.fullmatch(rf"[\w.,:= {TAME}]*", word) for word in first[1:])
        return (is_plain or first[0] != "echo") and all(_keeps(command) or _columns_of(command) for command in filters)
    if first[0] == "date":
        return all(_PLAIN_DATE.fullmatch(word) for word in first[1:] if word[:1] == "+") and all(
            command[:2] == ["tr", "-d"] and len(command) == 3 for command in filters
        )
    if _output_of_one(first) == TAME:  # only numbers of processes
        return all(_keeps(command) or _columns_of(command) == {1} for command in filters)
    at = next((at for at, command in enumerate(filters) if _columns_of(command)), None)
    return (
        at is not None
        and all(_picks_lines(command) for command in filters[:at])
        and all(map(_keeps, filters[at + 1 :]))
        and _columns_of(filters[at]) <= set(_COLUMNS.get(first[0], ()))
        and not any(_FORMATTED.fullmatch(word) and not _is_numeric(first, at) for at, word in enumerate(first) if at)
        and "-F" not in "".join(filters[at][1:2])[:2]
    )


def _is_numeric(argv: Sequence[str], at: int) -> bool:
    """`ps -eo pid,rss`: the columns asked for hold numbers, or one tame word."""
    following = argv[at + 1] if at + 1 < len(argv) else ""
    return argv[0] == "ps" and argv[at].endswith("o") and _NUMBERS.fullmatch(following) is not None


def _columns_of(argv: Sequence[str]) -> set[int]:
    """The columns that `awk` or `cut` prints, and nothing else; none where it prints more. The last one counts as the first of all."""
    if argv[0] == "cut" and (match := re.fullmatch(r"cut\0-d\0? \0-f\0?(\d)", "\0".join(argv))):
        return {int(match[1])}
    if argv[0] not in _AWKS:
        return set()
    words = list(argv[1:])
    if words[:1] == ["-F"]:
        del words[:2]
    elif words and words[0].startswith("-F"):
        del words[0]
    if len(words) != 1 or not is_static(words[0]):
        return set()
    bare = re.sub(r"\"[^\"]*\"", '""', words[0])
    printed = _PRINTED.findall(words[0])
    if _OWN.search(bare) or "%c" in words[0] or not printed or "{" not in bare.rpartition("}")[0]:
        return set()
    if re.search(r"\}\s*[^\s{}][^{}]*$", bare) or not all(
        text.strip() and _ARGUMENTS.fullmatch(text) for text in printed
    ):
        return set()
    columns = {int(number) for text in printed for number in re.findall(r"\$(\d+)", text)}
    return (columns or {1}) if "$NF" not in words[0] else {99}


def _keeps(argv: Sequence[str]) -> bool:
    return _picks_lines(argv) or _FILTERS.fullmatch("\0".join(argv)) is not None


def _picks_lines(argv: Sequence[str]) -> bool:
    """It prints whole lines of what it reads."""
    if argv[0] in _GREPS:
        words = list(argv[1:])
        while words and _PICKS.fullmatch(words[0]):
            words.pop(0)
        if words[:1] == ["-e"]:
            words.pop(0)
        return len(words) == 1 and not words[0].startswith("-")
    return (
        argv[0] in ("head", "tail", "sort", "uniq") and "-c" not in argv and bool(_FILTERS.fullmatch("\0".join(argv)))
    )


def _counts(argv: Sequence[str], *, operands: int) -> bool:
    """A count, and no name of a file before it."""
    if argv[0] not in (*_GREPS, "pgrep") or any(re.match(r"--|-\w*[rRHnoald]", word) for word in argv[1:]):
        return False
    letters = [word for word in argv[1:] if re.fullmatch(r"-\w+", word)]
    return any("c" in word for word in letters) and len(argv) - 1 - len(letters) <= operands


def _output_of_one(argv: Sequence[str]) -> str | None:
    name, words = argv[0], argv[1:]
    if name in ("echo", "print"):
        shown = [word for word in words if word not in ("-n", "-e", "-ne", "-en")]
        has_escapes = any(word.startswith("-") and "e" in word for word in words[:1])
        return _unescaped(" ".join(shown)) if has_escapes else " ".join(shown)
    if name == "printf" and words and is_static(words[0]) and words[0][:1] != "-":
        return _printed(words[0], words[1:])
    if name in ("ls", "find"):
        return _listed(argv)
    if name == "date":
        is_tame = all(_DATE.fullmatch(word) for word in words if word.startswith("+"))
    elif name in ("pgrep", "pidof", "jps"):
        is_tame = not any(re.match(r"-\w*[adlmvV]|--", word) for word in words) and (name != "jps" or "-q" in words)
    elif name == "stat":
        is_tame = len(words) == 3 and words[0] == "-c" and re.fullmatch(r"%[XYZWsbhugia]", words[1]) is not None
    elif name == "basename":
        is_tame = not any(re.search(r"[\[$`]", word) or posixpath.basename(word)[:1] == "-" for word in words)
    elif name in ("docker", "podman", "crictl"):
        is_tame = (
            words[:1] == ["ps"]
            and "q" in "".join(words[1:])
            and all(re.fullmatch(r"-[aqln]+|--quiet|--all", word) for word in words[1:])
        )
    elif name in ("seq", "wc"):
        is_tame = all(re.fullmatch(rf"-[clwmL]|-?[\d{TAME}.]+", word) for word in words)
    elif name == "cat":
        is_tame = len(words) == 1 and words[0].endswith(".pid")
    else:
        is_tame = name in _WORDS or _counts(argv, operands=2) or (name == "lsof" and "-t" in words)
    return TAME if is_tame else None


def _listed(argv: Sequence[str]) -> str | None:
    """Names below a folder (`find`), the names themselves, or one name without a folder (`ls`)."""
    roots = roots_of(argv, "")
    if not roots:
        return None
    if argv[0] == "find":
        return " ".join(f"{root.rstrip('/')}/{STAR}x" for root in roots)
    return " ".join(root if re.search(r"[\x01\x02\x03]", root) else f"{TAME}" for root in roots)


def _printed(template: str, values: Sequence[str]) -> str | None:
    text = _unescaped(template)
    for value in values:
        text = re.sub(r"%[sbd]", lambda _match, value=value: value, text, count=1)  # type: ignore[misc]  # mypy knows no default of a lambda
    return None if "%" in text else text


def _unescaped(text: str) -> str:
    def value(match: re.Match[str]) -> str:
        hexadecimal, octal, letter = match.groups()
        if hexadecimal:
            return chr(int(hexadecimal, 16))
        return chr(int(octal, 8) & 0xFF) if octal else {"n": "\n", "t": "\t", "\\": "\\"}.get(letter, letter)

    return re.sub(r"\\(?:x([0-9a-fA-F]{1,2})|0?([0-7]{1,3})|(.))", value, text, flags=re.DOTALL)
