"""Walks a line's syntax tree: every place where a command can stand is judged, in the order in which it would run."""

import re
from collections.abc import Callable
from typing import Any

from execution.command_check.context import NO_STDIN, TAME, WILD, Budget, Context, Stdin, Surroundings, is_static
from execution.command_check.do_run import check_variable
from execution.command_check.do_search import roots_of
from execution.command_check.outputs import output_of
from execution.command_check.programs import judge_argv
from execution.command_check.redirections import redirect
from execution.command_check.tree import WORDS, accounts_for_all, expansions_in, parse_line
from execution.command_check.verdict import Findings, Judgement
from execution.command_check.words import Reader, Word

_MAX_DEPTH = 12
_KNOWN_HOME = re.compile(r'"?\$\{?(JAVA_HOME|CATALINA_HOME|CATALINA_BASE|TOMCAT_HOME|APP_HOME)\}?"?/[\w./-]+"?')
_STARTS = re.compile(r"(?:&&|;|\n)\s*(?:systemctl start ([\w@.-]+)|service ([\w.-]+) start)\b")
_LOOKS_BAD = re.compile(r"(?<![\w./-])(?:/\S*/)?(rm|dd|mkfs\S*|shred|halt|reboot|poweroff|shutdown|wipefs|nc|chmod|userdel|kill|bash|sh|mv|curl|wget)(?![\w-])|/dev/(tcp|sd)|\(\)\s*\{")
_FILTERS = frozenset(("grep", "egrep", "head", "tail", "sort", "uniq", "tac"))
_TRIVIAL = frozenset(("", ":", "echo", "printf", "true", "cat"))


def judge_shell(command: str, surroundings: Surroundings) -> Judgement:
    context = Context(surroundings, Findings(), Budget(), judge_script, judge_argv)
    home = surroundings.app[0] if surroundings.app else WILD
    context.variables |= {
        "JAVA_HOME": "/usr/lib/jvm/current", "CATALINA_HOME": f"{home}/tomcat", "CATALINA_BASE": f"{home}/tomcat",
        "TOMCAT_HOME": f"{home}/tomcat", "APP_HOME": home, "HOSTNAME": TAME, "USER": TAME, "LOGNAME": TAME, "PWD": "./",
    }  # fmt: skip
    judge_script(context, command)
    return context.findings.worst


def judge_script(context: Context, text: str) -> None:
    """A whole script, which may stand inside another one."""
    context.budget.depth += 1
    if context.budget.depth > _MAX_DEPTH:
        context.block("commands inside of commands, too deep to follow")
    else:
        source = text.encode("utf-8", "surrogatepass")
        root = parse_line(source)
        if root.has_error or not accounts_for_all(root, source):
            context.escalate("not understood as a command of the shell")
            if _LOOKS_BAD.search(re.sub(r"['\"\\\\]|\$@|\$\*", "", text)):
                context.block("not understood, with a dangerous name in it")
        walker = Walker(source)
        context.restarted |= frozenset(a or b for a, b in _STARTS.findall(text))
        walker.children(context, root)
    context.budget.depth -= 1


class Walker:
    """One script's nodes. Methods are named after what stands in the tree."""

    def __init__(self, source: bytes) -> None:
        self.source = source.decode("latin-1")

    # — statements —

    def children(self, context: Context, node: Any) -> None:
        for child in node.children:
            if child.is_named:
                self.statement(context, child)

    def statement(self, context: Context, node: Any) -> None:
        context.budget.visits -= 1
        if context.budget.visits < 0:
            context.escalate("too much to be looked at")
            return
        handler = _STATEMENTS.get(node.type)
        if handler is not None:
            handler(self, context, node)
        else:
            context.escalate(f"not understood: {node.type}")
            self.children(context, node)

    def comment(self, context: Context, node: Any) -> None:
        before = self.source[node.start_byte - 1 : node.start_byte]
        if before not in ("", " ", "\t", "\n", ";", "&", "|", "(", ")"):
            context.escalate("a comment that isn't one")

    def error(self, context: Context, node: Any) -> None:
        context.escalate("not understood as a command of the shell")
        self.children(context, node)

    def and_or(self, context: Context, node: Any) -> None:
        left, operator, *rest = node.children
        self.statement(context, left)
        right = next((child for child in rest if child.is_named), None)
        if right is not None:
            self.maybe(context, lambda inner: self.statement(inner, right), keeps_place=operator.type == "&&")

    def maybe(self, context: Context, run: Callable[[Context], None], *, keeps_place: bool = False) -> None:
        """Something that may or may not run: what it sets isn't known afterwards."""
        before, place = dict(context.variables), context.cwd
        run(context)
        for name, value in list(context.variables.items()):
            if before.get(name) != value:
                context.variables[name] = WILD
        if context.cwd != place and not keeps_place:
            context.cwd = f"/{WILD}"

    def pipeline(self, context: Context, node: Any) -> None:
        stdin = context.stdin
        for child in node.children:
            if child.is_named:
                inner = context.inner()
                inner.stdin = stdin
                self.statement(inner, child)
                stdin = self.piped(inner, child, stdin)

    def piped(self, context: Context, node: Any, before: Stdin) -> Stdin:
        """What the next command of the pipe reads."""
        argv = self.words_of(context, node) if node.type == "command" else []
        text = output_of(argv) if argv and argv[0] in ("echo", "printf") else None
        if text is not None:
            return Stdin(text=text, is_piped=True)
        roots = before.roots if argv and argv[0] in _FILTERS else roots_of(argv, context.cwd)
        return Stdin(roots=roots, is_piped=True)

    def subshell(self, context: Context, node: Any) -> None:
        self.children(context.inner(), node)

    def block(self, context: Context, node: Any) -> None:
        if node.children and node.children[0].type == "((":
            self.arithmetic(context, node)
        else:
            self.children(context, node)

    def branches(self, context: Context, node: Any) -> None:
        """`if`: the first condition runs, everything after it may."""
        self.maybe(context, lambda inner: self.children(inner, node))

    def loop(self, context: Context, node: Any) -> None:
        """Until another round would say nothing new."""
        for _round in range(4):
            before = dict(context.variables)
            self.maybe(context, lambda inner: self.children(inner, node))
            if before == context.variables:
                return
        context.escalate("a loop that isn't understood")

    def while_(self, context: Context, node: Any) -> None:
        """A loop without an end must sleep."""
        text = node.text.decode("utf-8", "replace")
        if re.match(r"while\s+(true|:|\[\s*1\s*\])\s*;|until\s+false\s*;", text) and not re.search(r"\bsleep\s+[1-9]", text):
            context.block("a loop that doesn't end")
        self.loop(context, node)

    def for_(self, context: Context, node: Any) -> None:
        name, values, body = "", [], None
        for child in node.children:
            if child.type == "variable_name" and not name:
                name = child.text.decode()
            elif child.type == "do_group":
                body = child
            elif child.type in WORDS:
                values += self.word(context, child).texts
        if node.children[0].type != "for":
            context.escalate("a menu")
        check_variable(context, name, "", is_passed=False)
        if len(values) > 32:
            context.escalate("a loop over too many words")
        for value in (values or [WILD])[:32]:
            context.variables[name] = value
            if body is not None:
                self.loop(context, body)
        context.variables[name] = WILD

    def counted_for(self, context: Context, node: Any) -> None:
        for child in node.children:
            if child.type == "do_group":
                self.loop(context, child)
            elif child.type == "variable_assignment":
                context.variables[child.children[0].text.decode()] = "0"
                self.arithmetic(context, child.children[-1])
            elif child.is_named:
                self.arithmetic(context, child)

    def case(self, context: Context, node: Any) -> None:
        for child in node.children:
            if child.type == "case_item":
                self.maybe(context, lambda inner, item=child: self.case_item(inner, item))  # type: ignore[misc]
            elif child.is_named:
                self.word(context, child)

    def case_item(self, context: Context, node: Any) -> None:
        for position, child in enumerate(node.children):
            if node.field_name_for_child(position) == "value":
                if child.type != "extglob_pattern" or "$" in child.text.decode() or "`" in child.text.decode():
                    self.word(context, child)
            elif child.is_named and child.type != "termination":
                self.statement(context, child)

    def function(self, context: Context, node: Any) -> None:
        context.escalate("defines a function")
        name = node.child_by_field_name("name")
        body = node.child_by_field_name("body")
        if body is not None and name is not None and re.search(rf"\b{re.escape(name.text.decode())}\b", body.text.decode()):
            context.block("a function that calls itself")
        if body is not None:
            self.statement(context.inner(), body)

    # — simple commands —

    def command(self, context: Context, node: Any) -> None:
        argv = self.words_of(context, node, judged=True)
        if argv:
            judge_argv(context, argv)

    def words_of(self, context: Context, node: Any, *, judged: bool = False) -> list[str]:
        """The command's words. `judged`: its own assignments and redirections are looked at too, and its name."""
        reading = context if judged else _silent(context)
        argv: list[str] = []
        last = -1
        for child in node.children:
            if child.type == "variable_assignment":
                if judged:
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
        if not _KNOWN_HOME.fullmatch(node.text.decode()):
            context.block("the name of the program is hidden")
        elif len(word.texts) != 1:
            context.escalate("a name of several words")

    def word(self, context: Context, node: Any) -> Word:
        reader = Reader(context, self.source, expansions_in(node), self.substitute)
        return reader.read(node.start_byte, node.end_byte)

    def assignment(self, context: Context, node: Any, *, is_passed: bool = False) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None or name.type != "variable_name" or node.children[1].type != "=" or (value and value.type == "array"):
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
                check_variable(context, name.text.decode() if name else "", "", is_passed=True)
            elif child.type != "variable_name":
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

    def arithmetic(self, context: Context, node: Any) -> None:
        """Only numbers, and variables that hold numbers: a subscript would be evaluated again."""
        waiting = [node]
        while waiting:
            child = waiting.pop()
            if child.type in ("subscript", "string", "raw_string", "ansi_c_string", "expansion", "concatenation"):
                context.escalate("arithmetic that isn't understood")
                self.nested(context, child)
            elif child.type == "command_substitution":
                if not _is_number(self.substitute(context, child)):
                    context.escalate("arithmetic with a value that isn't known")
            elif child.type in ("variable_name", "word"):
                self.counted(context, child.text.decode())
            elif child.type == "ERROR":
                self.error(context, child)
            else:
                waiting += child.children

    def counted(self, context: Context, name: str) -> None:
        value = context.variables.get(name, "0")
        if re.search(r"[\[$`]", value):
            context.block("arithmetic that evaluates text")
        elif not _is_number(value):
            context.escalate("arithmetic with a value that isn't known")

    def nested(self, context: Context, node: Any) -> None:
        """Whatever stands there, the commands inside of it are judged."""
        for inner in expansions_in(node).values():
            self.substitute(context, inner)

    # — expansions —

    def substitute(self, context: Context, node: Any) -> str:
        """Judge what an expansion runs; the text that stands for its value."""
        if node.type == "simple_expansion":
            return WILD
        if node.type == "arithmetic_expansion":
            self.arithmetic(context, node)
            return TAME
        if node.type == "expansion":
            return self.parameter(context, node)
        inner = context.inner()
        inner.stdin = NO_STDIN
        is_number = False
        parts = [child for child in node.children if child.is_named]
        for child in parts:
            if child.type == "file_redirect":
                self.redirection(inner, child, name="")
                is_number = child.text.decode().rstrip().endswith(".pid")
            else:
                self.statement(inner, child)
        if node.type == "process_substitution":
            return TAME
        if len(parts) != 1 or parts[0].type == "file_redirect":
            return TAME if is_number else WILD
        return self.value_of_output(inner, parts[0])

    def value_of_output(self, context: Context, node: Any) -> str:
        stages = [child for child in node.children if child.is_named] if node.type == "pipeline" else [node]
        while stages and stages[0].type == "redirected_statement":
            stages[0] = stages[0].children[0]
        if not stages or any(stage.type != "command" for stage in stages):
            return WILD
        commands = [self.words_of(context, stage) for stage in stages]
        text = output_of(*commands) if all(commands) else None
        return WILD if text is None else text

    def parameter(self, context: Context, node: Any) -> str:
        """`${name}` and the few forms whose result is certain."""
        text = node.text.decode("utf-8", "replace")
        self_value = re.fullmatch(r"\$\{(\w+)\}", text)
        if self_value:
            reader = Reader(context, self.source, {}, self.substitute)
            return reader.value_of(self_value[1])
        for child in node.named_children:
            if child.type != "variable_name":
                self.nested(context, child)
        match = re.fullmatch(r"\$\{(\w+)(:?[-=])([\w./ -]*)\}", text)
        if match and match[1] not in context.variables:
            return WILD
        match = re.fullmatch(r"\$\{(\w+)(##\*/|%\.\w+|%%\.\*|#\w+|:\d+:\d+)\}", text)
        if match:
            value = context.variables.get(match[1], WILD)
            return value if not is_static(value) and WILD not in value else WILD
        if re.fullmatch(r"\$\{#\w+\}", text):
            return TAME
        if "@P" in text or text.startswith("${!"):
            context.block("an expansion that hides what it means")
        else:
            context.escalate("an expansion that isn't understood")
        return WILD

    # — redirections —

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
                self.redirection(inner, child, name=name)
        if body is not None:
            self.statement(inner, body)
        context.stdin = stdin

    def redirection(self, context: Context, node: Any, *, name: str) -> None:
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
                stdin = redirect(context, operator, text, is_trivial=name in _TRIVIAL)
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
        if end is None or end.text.decode().strip("\t\n ") != bare or any(line.strip("\t") == bare for line in text.split("\n")[:-1]):
            context.escalate("a text whose end isn't certain")
        if not is_quoted and re.search(r"[$`\\]", text):
            context.escalate("a text with expansions")
            if body is not None:
                self.nested(context, body)
        context.stdin = Stdin(text=text, is_piped=True)

    def negated(self, context: Context, node: Any) -> None:
        self.children(context, node)

    def bare_redirect(self, context: Context, node: Any) -> None:
        self.redirection(context, node, name="")


def _silent(context: Context) -> Context:
    """The same knowledge, with findings that are thrown away: the words are judged elsewhere."""
    inner = context.inner()
    inner.findings = Findings()
    return inner


def _is_number(value: str) -> bool:
    return bool(re.fullmatch(rf"[-+]?[\d{TAME}]*", value))


_STATEMENTS: dict[str, Callable[[Walker, Context, Any], None]] = {
    "comment": Walker.comment, "ERROR": Walker.error, "list": Walker.and_or, "pipeline": Walker.pipeline,
    "subshell": Walker.subshell, "compound_statement": Walker.block, "do_group": Walker.block, "else_clause": Walker.branches,
    "elif_clause": Walker.branches, "if_statement": Walker.branches, "while_statement": Walker.while_, "for_statement": Walker.for_,
    "c_style_for_statement": Walker.counted_for, "case_statement": Walker.case, "function_definition": Walker.function,
    "command": Walker.command, "variable_assignment": Walker.assignment, "variable_assignments": Walker.assignments,
    "declaration_command": Walker.declaration, "unset_command": Walker.unset, "test_command": Walker.test,
    "redirected_statement": Walker.redirected, "negated_command": Walker.negated, "file_redirect": Walker.bare_redirect,
    "herestring_redirect": Walker.bare_redirect, "heredoc_redirect": Walker.bare_redirect,
}  # fmt: skip
