"""Walks a line's syntax tree: every place where a command can stand is judged, in the order in which it would run."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from execution.command_check.context import TAME, WILD, Budget, Context, Stdin, Surroundings, is_number
from execution.command_check.do_run import check_variable
from execution.command_check.do_search import roots_of
from execution.command_check.outputs import output_of
from execution.command_check.programs import judge_argv
from execution.command_check.simple_commands import SimpleCommands
from execution.command_check.tree import WORDS, accounts_for_all, parse_line
from execution.command_check.verdict import Findings, Judgement

_MAX_DEPTH = 12
_LONGEST_PIPE = 32  # programs: each is read together with those before it
#: Units that are started again; "" for a script that starts.
_STARTS = re.compile(
    r"(?:&&|;|\n)\s*(?:systemctl start ([\w@.-]+)|service ([\w.-]+) start|(?:sh )?[\w./-]*(?:startup\.sh|start[\w-]*\.sh|catalina\.sh start))\b"
)
_LOOKS_BAD = re.compile(
    r"(?<![\w./-])(?:/\S*/)?(rm|dd|mkfs\S*|shred|halt|reboot|poweroff|shutdown|wipefs|nc|chmod|userdel|kill|bash|sh|mv|curl|wget)(?![\w-])|/dev/(tcp|sd)|\(\)\s*\{"
)
_READERS = frozenset(
    ("cat", "strings", "head", "tail", "tac", "zcat", "sed", "awk", "nl", "cut", "sort", "grep", "egrep")
)
_FILTERS = frozenset(("grep", "egrep", "head", "tail", "sort", "uniq", "tac"))


_STOPS = re.compile(r"\b(?:stop|shutdown)\b|\b(?:stop|shutdown)[\w-]*\.sh")
_TEXT = re.compile(r"'[^']*'|\"[^\"]*\"|(?:(?<=\s)|^)#[^\n]*", re.MULTILINE)
#: What may keep a later command from running.
_MAYBE = re.compile(
    r"\b(?:exit|return|false|exec|if|for|while|until|case|break|test)\b|[][(){}!\\]|\|\||<<|(?<![&>])&(?!&)"
)


def _started_again(text: str) -> frozenset[str]:
    """The units that certainly start, after all that is stopped."""
    bare = _TEXT.sub(" ", text)
    stops = [match.start() for match in _STOPS.finditer(bare)]
    if not stops or _MAYBE.search(bare):
        return frozenset()
    return frozenset(a or b for a, b in _STARTS.findall(bare[stops[-1] :]))


def judge_shell(command: str, surroundings: Surroundings) -> Judgement:
    context = Context(surroundings, Findings(), Budget(), judge_script, judge_argv)
    home = surroundings.app[0] if surroundings.app else WILD
    context.variables |= {
        "JAVA_HOME": "/usr/lib/jvm/current", "CATALINA_HOME": f"{home}/tomcat", "CATALINA_BASE": f"{home}/tomcat",
        "TOMCAT_HOME": f"{home}/tomcat", "APP_HOME": home, "ORACLE_HOME": "/u01/app/oracle/product/db", "ORACLE_BASE": "/u01/app/oracle",
        "GRID_HOME": "/u01/app/grid/product", "TB_HOME": "/opt/tibero", "JEUS_HOME": "/opt/jeus", "WEBTOBDIR": "/opt/webtob", "JBOSS_HOME": "/opt/jboss",
        "ALTIBASE_HOME": "/opt/altibase", "CUBRID": "/opt/cubrid", "KAFKA_HOME": "/opt/kafka", "PGDATA": "/var/lib/pgsql/data", "HOSTNAME": TAME, "USER": TAME, "LOGNAME": TAME, "PWD": "./",
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
        context.restarted |= _started_again(text)
        walker.children(context, root)
    context.budget.depth -= 1


class Walker(SimpleCommands):
    """One script's nodes. Methods are named after what stands in the tree."""

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
                is_counter = before.get(name) and value and is_number(before[name]) and is_number(value)
                context.variables[name] = TAME if is_counter else WILD
        if context.cwd != place and not keeps_place:
            context.cwd = f"/{WILD}"

    def pipeline(self, context: Context, node: Any) -> None:
        stdin = context.stdin
        commands: list[list[str]] = []
        if node.named_child_count > _LONGEST_PIPE:
            context.escalate("too much to be looked at")
            return
        for child in node.children:
            if child.is_named:
                inner = context.inner()
                inner.stdin = stdin
                self.statement(inner, child)
                stdin = self.piped(inner, child, stdin)
                commands.append(self.words_of(inner, child) if child.type == "command" else [])
                if all(commands) and output_of(*commands) == TAME:
                    stdin = replace(stdin, is_tame=True)

    def piped(self, context: Context, node: Any, before: Stdin) -> Stdin:
        """What the next command of the pipe reads."""
        argv = self.words_of(context, node) if node.type == "command" else []
        text = output_of(argv) if argv and argv[0] in ("echo", "printf") else None
        if text is not None:
            return Stdin(text=text, is_piped=True)
        roots = before.roots if argv and argv[0] in _FILTERS else roots_of(argv, context.cwd)
        files = before.files if argv and argv[0] in _FILTERS else ()
        if argv and argv[0] in _READERS:
            files = tuple(word for word in argv[1:] if "/" in word and not word.startswith("-")) or files
        return Stdin(roots=roots, files=files, is_piped=True)

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
        if re.match(r"while\s+(true|:|\[\s*1\s*\])\s*;|until\s+false\s*;", text) and not re.search(
            r"\bsleep\s+[1-9]", text
        ):
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
        text = node.text.decode("utf-8", "replace")
        if re.match(r"for\s*\(\([^;]*;\s*(?:1\s*)?;", text) and not re.search(r"\bsleep\s+[1-9]", text):
            context.block("a loop that doesn't end")
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
                self.maybe(context, lambda inner, item=child: self.case_item(inner, item))  # type: ignore[misc]  # mypy knows no default of a lambda
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
        if (
            body is not None
            and name is not None
            and re.search(rf"\b{re.escape(name.text.decode())}\b", body.text.decode())
        ):
            context.block("a function that calls itself")
        if body is not None:
            self.statement(context.inner(), body)


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
