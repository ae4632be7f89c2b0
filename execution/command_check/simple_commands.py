"""Simple commands: their words, assignments, tests and redirections."""

import re
from typing import Any

from execution.command_check.context import WILD, Context, Stdin, is_static
from execution.command_check.do_run import check_variable
from execution.command_check.expansions import Expansions, silent
from execution.command_check.programs import judge_argv
from execution.command_check.redirections import redirect
from execution.command_check.tree import WORDS
from execution.command_check.words import Word

_KNOWN_HOME = re.compile(r'"?\$\{?(\w+_HOME|CATALINA_BASE|WEBTOBDIR|CUBRID)\}?"?/[\w./-]+"?')
#: They are there already, and passed on; what they are set to was looked at.
_HARMLESS = frozenset(
    (b"PATH", b"HOME", b"SHELL", b"TERM", b"LESS", b"PAGER", b"EDITOR", b"JAVA_OPTS", b"CATALINA_OPTS", b"HISTSIZE")
)
_TRIVIAL = frozenset(("", ":", "echo", "printf", "true", "cat"))


def _splits_a_line(node: Any, assignment: Any) -> bool:
    """`IFS=: read …`: how the words of this one line are parted, and nothing else."""
    name = node.child_by_field_name("name")
    return (
        name is not None
        and name.text == b"read"
        and re.fullmatch(r"IFS=(?:'[^'\\]?'|\"[:,; |]?\"|\$'\\t'|[:,=]?)", assignment.text.decode("utf-8", "replace"))
        is not None
    )


class SimpleCommands(Expansions):
    """One command and what belongs to it."""

    def children(self, context: Context, node: Any) -> None:
        raise NotImplementedError

    def error(self, context: Context, node: Any) -> None:
        raise NotImplementedError

    def command(self, context: Context, node: Any) -> None:
        argv = self.words_of(context, node, judged=True)
        if argv:
            judge_argv(context, argv)

    def words_of(self, context: Context, node: Any, *, judged: bool = False) -> list[str]:
        """The command's words. `judged`: its own assignments and redirections are looked at too, and its name."""
        reading = context if judged else silent(context)
        argv: list[str] = []
        last = -1
        for child in node.children:
            if child.type == "variable_assignment":
                if judged and not _splits_a_line(node, child):
                    self.assignment(context, child, is_passed=True)
            elif child.type == "command_name":
                word = self.word(reading, child)
                if judged and not word.is_plain:
                    self.hidden_name(context, child, word)
                argv += word.texts
            elif child.type in WORDS or child.type in ("variable_name", "subscript"):
                if judged and child.start_byte == last:
                    context.escalate("words without a blank between them")
                argv += self.word(reading, child).texts
            elif judged and child.type in ("file_redirect", "herestring_redirect", "heredoc_redirect"):
                self.redirection(context, child, name=argv[0] if argv else "")
            elif judged and child.is_named:
                self.statement(context, child)
            elif child.type in ("$", "=~", "==", "="):
                argv.append(child.text.decode())
            last = child.end_byte
        return argv

    def hidden_name(self, context: Context, node: Any, word: Word) -> None:
        home = _KNOWN_HOME.fullmatch(node.text.decode())
        if home is None or WILD in context.variables.get(home[1], WILD):
            context.block("the name of the program is hidden")
        elif len(word.texts) != 1:
            context.escalate("a name of several words")

    def assignment(self, context: Context, node: Any, *, is_passed: bool = False) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if (
            name is None
            or name.type != "variable_name"
            or node.children[1].type != "="
            or (value and value.type == "array")
        ):
            context.escalate("an assignment that isn't understood")
            for child in node.named_children:
                self.nested(context, child)
            return
        texts = self.word(context, value).texts if value is not None else [""]
        text = " ".join(texts)
        check_variable(context, name.text.decode(), text, is_passed=is_passed)
        if not is_passed:
            context.variables[name.text.decode()] = text

    def assignments(self, context: Context, node: Any) -> None:
        self.children(context, node)

    def declaration(self, context: Context, node: Any) -> None:
        """`export`, `declare`, `local`, `readonly`."""
        for child in node.children[1:]:
            if child.type == "variable_assignment":
                name = child.child_by_field_name("name")
                self.assignment(context, child)
                known = name.text.decode() if name else ""
                check_variable(context, known, context.variables.get(known, ""), is_passed=True)
            elif child.type == "variable_name":
                if child.text not in _HARMLESS:
                    check_variable(context, child.text.decode(), "", is_passed=False)
            else:
                context.escalate("a declaration that isn't understood")
                self.nested(context, child)
        if len(node.children) == 1:
            context.escalate("shows all variables")

    def unset(self, context: Context, node: Any) -> None:
        for child in node.named_children:
            if child.type != "variable_name":
                context.escalate("unsets something that isn't understood")
            else:
                check_variable(context, child.text.decode(), "", is_passed=False)
                context.variables[child.text.decode()] = ""

    def test(self, context: Context, node: Any) -> None:
        """`[ … ]` and `[[ … ]]`; the second one evaluates operands of `-eq` and its kin as arithmetic."""
        evaluates = node.children[0].type == "[["
        waiting = list(node.children)
        while waiting:
            child = waiting.pop(0)
            if child.type in WORDS:
                texts = self.word(context, child).texts
                if evaluates and any("$(" in text or "`" in text for text in texts):
                    context.block("a test that evaluates its operand")
                if evaluates and any(WILD in text for text in texts) and "-eq" not in self.source:
                    self.evaluated(context, node)
            elif child.type == "test_operator" and child.text in (b"-v", b"-R", b"-o"):
                context.block("a test that may evaluate its operand")
            elif child.type in ("variable_name", "subscript", "array"):
                self.nested(context, child)
                if child.type != "variable_name":
                    context.escalate("a test that isn't understood")
            elif child.type == "ERROR":
                self.error(context, child)
            else:
                waiting = [*child.children, *waiting]

    def evaluated(self, context: Context, node: Any) -> None:
        if re.search(r"\s-(eq|ne|lt|le|gt|ge)\s", node.text.decode("utf-8", "replace")):
            context.escalate("a test that evaluates a value which isn't known")

    def redirected(self, context: Context, node: Any) -> None:
        body = node.child_by_field_name("body")
        argv = self.words_of(context, body) if body is not None and body.type == "command" else []
        name = argv[0] if argv else ("" if body is None else body.type)
        inner = context if body is None or body.type not in ("subshell",) else context.inner()
        stdin = context.stdin
        for child in node.children:
            if body is not None and child.id == body.id:
                continue
            if child.is_named:
                self.redirection(inner, child, name=name, is_bare=body is None)
        if body is not None:
            self.statement(inner, body)
        context.stdin = stdin

    def redirection(self, context: Context, node: Any, *, name: str, is_bare: bool = False) -> None:
        if node.type == "heredoc_redirect":
            self.heredoc(context, node)
        elif node.type == "herestring_redirect":
            texts = self.word(context, node.named_children[-1]).texts
            context.stdin = Stdin(text=" ".join(texts) if all(map(is_static, texts)) else None, is_piped=True)
        elif node.type == "file_redirect":
            operator = next((child.type for child in node.children if not child.is_named), "?")
            targets = [child for child in node.named_children if child.type != "file_descriptor"]
            texts = [text for target in targets for text in self.word(context, target).texts]
            if not targets and operator in (">&-", "<&-"):
                return
            if len(texts) != 1:
                context.escalate("a redirection that isn't understood")
            for text in texts:
                stdin = redirect(context, operator, text, is_trivial=name in _TRIVIAL, is_bare=is_bare)
                context.stdin = stdin or context.stdin
        else:
            self.statement(context, node)

    def heredoc(self, context: Context, node: Any) -> None:
        body = end = None
        is_quoted = False
        for child in node.children:
            if child.type == "heredoc_start":
                is_quoted = any(sign in child.text.decode() for sign in "'\"\\")
                start = child.text.decode()
            elif child.type == "heredoc_body":
                body = child
            elif child.type == "heredoc_end":
                end = child
            elif child.type in ("file_redirect", "herestring_redirect", "heredoc_redirect"):
                self.redirection(context, child, name="cat")
                if child.type == "heredoc_redirect":
                    context.escalate("two texts for one command")
            elif child.is_named and child.type not in ("file_descriptor", "heredoc_end"):
                inner = context.inner()
                inner.stdin = Stdin(is_piped=True)
                self.statement(inner, child)
        text = self.source[body.start_byte : body.end_byte].encode("latin-1").decode("utf-8", "replace") if body else ""
        bare = re.sub(r"['\"\\]", "", start)
        if (
            end is None
            or end.text.decode().strip("\t\n ") != bare
            or any(line.strip("\t") == bare for line in text.split("\n")[:-1])
        ):
            context.escalate("a text whose end isn't certain")
        if not is_quoted and re.search(r"[$`\\]", text):
            context.escalate("a text with expansions")
            if body is not None:
                self.nested(context, body)
        context.stdin = Stdin(text=text, is_piped=True)

    def negated(self, context: Context, node: Any) -> None:
        self.children(context, node)

    def bare_redirect(self, context: Context, node: Any) -> None:
        self.redirection(context, node, name="", is_bare=True)
