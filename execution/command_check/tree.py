"""The syntax tree of a line, by tree-sitter-bash, and a look at whether it accounts for every byte."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

WORDS = frozenset(
    ("word", "string", "raw_string", "ansi_c_string", "translated_string", "concatenation", "number", "simple_expansion", "expansion",
     "command_substitution", "process_substitution", "arithmetic_expansion", "brace_expression", "regex", "extglob_pattern",
     "test_operator_word")
)  # fmt: skip
EXPANSIONS = frozenset(
    ("command_substitution", "process_substitution", "arithmetic_expansion", "expansion", "simple_expansion")
)


@lru_cache(maxsize=1)
def _parser() -> Parser:
    return Parser(Language(tree_sitter_bash.language()))


def parse_line(source: bytes) -> Node:
    return _parser().parse(source).root_node


def expansions_in(word: Node) -> dict[int, Any]:
    """The outermost expansions of a word by their first byte."""
    found: dict[int, Any] = {}
    waiting = [word]
    while waiting:
        node = waiting.pop()
        if node.type in EXPANSIONS:
            text = node.text or b""
            blanks = len(text) - len(text.lstrip())  # the grammar counts blanks before “$(” in
            found.setdefault(node.start_byte + blanks, node)
        else:
            waiting += node.children
    return found


def _leaves(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type in WORDS or node.type in ("heredoc_body", "comment") or not node.child_count:
            yield node
        else:
            waiting += reversed(node.children)


def accounts_for_all(root: Node, source: bytes) -> bool:
    """Whether nothing but blanks lies between the leaves of the tree."""
    at = 0
    for start, end in sorted((leaf.start_byte, leaf.end_byte) for leaf in _leaves(root)):
        if start > at and source[at:start].replace(b"\\\n", b"").strip(b" \t\n"):
            return False
        at = max(at, end)
    return not source[at:].replace(b"\\\n", b"").strip(b" \t\n")
