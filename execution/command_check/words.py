"""What a word of the shell becomes, read from its bytes by our own reading of POSIX and bash.

The syntax tree says where a word stands; this says what it is, and finds fault where the two disagree. Offsets are
bytes: the source is held as latin-1 text, one character per byte, and turned into UTF-8 at the end.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from execution.command_check.context import BRACE, CLASS, COMMA, ECARB, FIELD, GLOBS, QUERY, STAR, TILDE, WILD, Context

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_META = frozenset(" \t\n;&|<>()")
_ANSI = {
    "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "?": "?",
}  # fmt: skip
_SECRET_NAME = re.compile(
    r"(?i)pass|(^|_)pwd?($|_)|secret|token|key($|_)|cred|(^|_)auth($|_)|private|(^|_)salt($|_)"
    r"|(database|db|datasource|jdbc|redis|mongo\w*|amqp|rabbit\w*|postgres\w*|mysql|ldap|smtp)_?(url|uri|dsn)|conn(ection)?_?str"
)
#: Braces come before variables: `$v{1,2}` is `$v1 $v2`.
_JOINED = re.compile(r"\{(?:[^}]*[,.])?\w")
_MAX_WORDS = 64
#: (context, node) → the text that stands for its output
Substitute = Callable[[Context, Any], str]


@dataclass(slots=True)
class Word:
    """`texts`: the words it becomes (braces and unquoted values make several); `is_plain`: written as it is meant."""

    texts: list[str]
    is_plain: bool


class Reader:
    """Reads one word. `nodes` are the expansions of the tree by their start; `substitute` judges and stands for them."""

    def __init__(self, context: Context, source: str, nodes: Mapping[int, Any], substitute: Substitute) -> None:
        self.context, self.source, self.nodes, self.substitute = context, source, nodes, substitute
        self.out: list[str] = []
        self.is_plain = True

    def read(self, start: int, end: int) -> Word:
        self.out, self.is_plain = [], True
        at = start
        while at < end:
            at = self._step(at, start, end)
        if at != end:
            self.context.escalate("a word that isn't read the same way twice")
        texts = _split(_expand("".join(self.out), self.context))
        return Word([_utf8(text) for text in texts], self.is_plain)

    def _step(self, at: int, start: int, end: int) -> int:
        sign = self.source[at]
        if sign not in "'\"\\$`*?[{},~<>" and sign not in _META:
            self.out.append(sign)
            return at + 1
        if sign == "~" and at == start:
            self.is_plain = False
            self.out.append(TILDE)
            return at + 1
        if sign in "*?[{},":
            return self._pattern(sign, at)
        if sign in "<>" and at in self.nodes:
            self.is_plain = False
            self.out.append(self.substitute(self.context, self.nodes[at]))
            return int(self.nodes[at].end_byte)
        if sign in _META:
            self.context.escalate("a word that isn't read the same way twice")
            return at + 1
        if sign == "~":
            self.out.append(sign)
            return at + 1
        self.is_plain = False
        return self._quoted(sign, at, end)

    def _pattern(self, sign: str, at: int) -> int:
        marks = {"*": STAR, "?": QUERY, "[": CLASS, "{": BRACE, "}": ECARB, ",": COMMA}
        self.out.append(marks[sign])
        return at + 1

    def _quoted(self, sign: str, at: int, end: int) -> int:
        source = self.source
        if sign == "\\":
            if at + 1 < end and source[at + 1] != "\n":
                self.out.append(source[at + 1])
            return at + 2
        if sign == "'":
            close = source.find("'", at + 1, end)
            return self._broken(end) if close < 0 else self._take(source[at + 1 : close], close + 1)
        if sign == '"':
            return self._double(at + 1, end)
        if sign == "$" and source[at + 1 : at + 2] == "'":
            return self._ansi(at + 2, end)
        if sign == "$" and source[at + 1 : at + 2] == '"':
            return self._double(at + 2, end)
        return self._expansion(at, end, is_quoted=False)

    def _take(self, text: str, after: int) -> int:
        self.out.append(text)
        return after

    def _broken(self, end: int) -> int:
        self.context.escalate("a quote that doesn't end")
        return end

    def _double(self, at: int, end: int) -> int:
        while at < end:
            sign = self.source[at]
            if sign == '"':
                return at + 1
            if sign == "\\" and at + 1 < end:
                following = self.source[at + 1]
                if following == "\n":
                    pass
                elif following in '$`"\\':
                    self.out.append(following)
                else:
                    self.out.append(sign + following)
                at += 2
            elif sign in "$`":
                at = self._expansion(at, end, is_quoted=True)
            else:
                self.out.append(sign)
                at += 1
        return self._broken(end)

    def _ansi(self, at: int, end: int) -> int:
        while at < end:
            sign = self.source[at]
            if sign == "'":
                return at + 1
            if sign != "\\":
                self.out.append(sign)
                at += 1
                continue
            match = re.compile(
                r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|(.))"
            ).match(self.source, at, end)
            if match is None:
                return self._broken(end)
            self.out.append(_ansi_value(match))
            at = match.end()
        return self._broken(end)

    def _expansion(self, at: int, end: int, *, is_quoted: bool) -> int:
        node = self.nodes.get(at)
        if node is not None and node.end_byte <= end and node.type != "simple_expansion":
            value, after = self.substitute(self.context, node), int(node.end_byte)
        elif self.source[at] == "$" and (match := _NAME.match(self.source, at + 1, end)):
            value, after = self.value_of(match[0]), match.end()
            if _JOINED.match(self.source, after, end):
                self.context.escalate("braces that make another variable")
        elif self.source[at] == "$" and at + 1 < end and self.source[at + 1] in "0123456789@*#?-$!":
            sign = self.source[at + 1]
            value, after = ("0" if sign in "#?$!" else self.context.variables.get(sign, WILD)), at + 2
        elif self.source[at] == "$" and (at + 1 >= end or self.source[at + 1] in ' \t"%/.,:)^|'):
            value, after = "$", at + 1
        else:
            self.context.escalate("an expansion that isn't understood")
            value, after = WILD, at + 1
        self.out.append(value if is_quoted else _fields(value))
        return after

    def value_of(self, name: str) -> str:
        if name == "HOME":
            return TILDE
        if name == "IFS":
            self.context.block("IFS used as a separator hides the words")
            return " "
        if name not in self.context.variables and is_secret_variable(name):
            self.context.block(f"shows the secret ${name}")
        return self.context.variables.get(name, WILD)


def _ansi_value(match: re.Match[str]) -> str:
    hexadecimal, short, long, octal, plain = match.groups()
    if hexadecimal:
        return chr(int(hexadecimal, 16))
    if short or long:
        code = int(short or long, 16)
        return (chr(code) if code < 0x110000 else "?").encode("utf-8", "replace").decode("latin-1")
    return chr(int(octal, 8) & 0xFF) if octal else _ANSI.get(plain, "\\" + plain)


def _fields(value: str) -> str:
    """An unquoted value: split at blanks, and its signs are patterns."""
    value = re.sub(r"[ \t\n]+", FIELD, value)
    return value.replace("*", STAR).replace("?", QUERY).replace("[", CLASS)


def _expand(text: str, context: Context) -> str | list[str]:
    """Braces: `a{b,c}` is two words. What isn't a list is text."""
    if BRACE not in text and COMMA not in text and ECARB not in text:
        return text
    done: list[str] = []
    waiting = [text]
    while waiting and len(done) + len(waiting) < _MAX_WORDS:
        current = waiting.pop(0)
        match = re.search(f"{BRACE}([^{BRACE}{ECARB}]*){ECARB}", current)
        if match is None:
            done.append(_unbraced(current))
            continue
        parts = match[1].split(COMMA) if COMMA in match[1] else _sequence(match[1])
        if parts is None:
            waiting.insert(0, current[: match.start()] + "{" + match[1] + "}" + current[match.end() :])
        else:
            waiting[:0] = [current[: match.start()] + part + current[match.end() :] for part in parts]
    if waiting:
        context.escalate("too many words out of braces")
    return done


def _sequence(inner: str) -> list[str] | None:
    match = re.fullmatch(r"(-?\d{1,4})\.\.(-?\d{1,4})", inner)
    if match:
        low, high = int(match[1]), int(match[2])
        return [str(n) for n in range(low, high + 1)][:_MAX_WORDS] if 0 <= high - low < _MAX_WORDS else [WILD]
    return [WILD] if ".." in inner else None


def _unbraced(text: str) -> str:
    return text.replace(BRACE, "{").replace(COMMA, ",").replace(ECARB, "}")


def _split(texts: str | list[str]) -> list[str]:
    words = [texts] if isinstance(texts, str) else texts
    if not any(FIELD in word for word in words):
        return words
    return [field for word in words for field in word.split(FIELD) if field]


def _utf8(text: str) -> str:
    return text.encode("latin-1", "replace").decode("utf-8", "replace")


def is_secret_variable(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def has_glob(text: str) -> bool:
    return not GLOBS.isdisjoint(text)


def shown(text: str) -> str:
    """A word as it may be said in a reason."""
    table = {STAR: "*", QUERY: "?", CLASS: "[", WILD: "<unknown>", "\x04": "<value>", TILDE: "~", FIELD: " "}
    return "".join(table.get(sign, sign if sign.isprintable() else "?") for sign in text)[:60]
