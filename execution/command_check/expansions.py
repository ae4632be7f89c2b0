"""What stands for a value: substitutions, arithmetic, parameters. Whatever they run is judged."""

import re
from typing import Any

from execution.command_check.context import NO_STDIN, TAME, WILD, Context, is_number, is_static
from execution.command_check.options import HOOKS
from execution.command_check.outputs import output_of
from execution.command_check.tree import expansions_in
from execution.command_check.verdict import Findings
from execution.command_check.words import Reader, Word


class Expansions:
    """The words of one script. `statement` and `redirection` come from the classes above it."""

    def __init__(self, source: bytes) -> None:
        self.source = source.decode("latin-1")

    def word(self, context: Context, node: Any) -> Word:
        reader = Reader(context, self.source, expansions_in(node), self.substitute)
        return reader.read(node.start_byte, node.end_byte)

    def arithmetic(self, context: Context, node: Any) -> None:
        """Only numbers, and variables that hold numbers: a subscript would be evaluated again."""
        waiting = [node]
        while waiting:
            child = waiting.pop()
            if child.type in ("subscript", "string", "raw_string", "ansi_c_string", "expansion", "concatenation"):
                context.escalate("arithmetic that isn't understood")
                self.nested(context, child)
            elif child.type == "command_substitution":
                if not is_number(self.substitute(context, child)):
                    context.escalate("arithmetic with a value that isn't known")
            elif child.type in ("variable_name", "word"):
                self.counted(context, child.text.decode())
            elif child.type == "ERROR":
                self.error(context, child)
            else:
                waiting += child.children

    def counted(self, context: Context, name: str) -> None:
        value = context.variables.get(name, "0" if name.isdigit() else WILD)
        if re.search(r"[\[$`]", value):
            context.block("arithmetic that evaluates text")
        elif not is_number(value):
            context.escalate("arithmetic with a value that isn't known")

    def nested(self, context: Context, node: Any) -> None:
        """Whatever stands there, the commands inside of it are judged."""
        for inner in expansions_in(node).values():
            self.substitute(context, inner)

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
        match = re.match(r"\$\{(\w+):?=", text)
        if match and (match[1] in HOOKS or match[1].startswith(("LD_", "BASH", "DYLD_", "GIT_"))):
            context.block(f"sets {match[1]}, which programs obey")
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

    def error(self, context: Context, node: Any) -> None:
        raise NotImplementedError

    def statement(self, context: Context, node: Any) -> None:
        raise NotImplementedError

    def redirection(self, context: Context, node: Any, *, name: str) -> None:
        raise NotImplementedError

    def words_of(self, context: Context, node: Any, *, judged: bool = False) -> list[str]:
        raise NotImplementedError


def silent(context: Context) -> Context:
    """The same knowledge, with findings that are thrown away: the words are judged elsewhere."""
    inner = context.inner()
    inner.findings = Findings()
    return inner
