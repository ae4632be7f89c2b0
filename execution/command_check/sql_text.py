"""Reads a statement's text so strictly that all databases would read it the same way, before it is parsed.

Strings, comments and quoted names are where dialects differ, and where statements hide: whatever one database could take
for something else isn't understood.
"""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<line>--[ \t][^\n]*|--(?=\n|$))"
    r"|(?P<block>/\*(?![!M])(?:[^*/]|\*(?!/)|/(?!\*))*\*/)"
    r"|(?P<string>[nN]?'(?:[^'\\]|''|\\(?=[%_\w.\-+*?()|\[\]{}^$/ ]))*'|'\\'(?=[\s;)]*$))"
    r'|(?P<quoted>"[^"\\\';\n]*"|`[\w$]+`|\[[\w ]+\])'
    r"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<word>@@?[A-Za-z_][\w$.]*|[A-Za-z_가-힣][\w$#가-힣]*)"
    r"|(?P<param>:[A-Za-z_]\w*|\$\d+|\?)"
    r"|(?P<cast>::)"
    r"|(?P<sign><=|>=|<>|!=|\|\||[-+*/%=<>(),.;:])"
)


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind == "word" else ""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its tokens, and its text without comments."""

    tokens: tuple[Token, ...]
    text: str


class Ambiguous(Exception):
    """The text could be read in more than one way."""


def read_statements(text: str) -> list[Statement]:
    """The statements of a text; raises Ambiguous."""
    statements: list[Statement] = []
    tokens: list[Token] = []
    parts: list[str] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise Ambiguous(text[at : at + 8])
        at = match.end()
        kind, found = match.lastgroup, match[0]
        if kind in ("space", "line", "block"):
            parts.append(" ")
        elif found == ";":
            _close(statements, tokens, parts)
            tokens, parts = [], []
        else:
            if kind == "word" and text[at : at + 1] == "'":
                raise Ambiguous(found)
            tokens.append(Token(kind, found))
            parts.append(found)
    _close(statements, tokens, parts)
    return statements


def _close(statements: list[Statement], tokens: list[Token], parts: list[str]) -> None:
    if tokens:
        statements.append(Statement(tuple(tokens), "".join(parts).strip()))
