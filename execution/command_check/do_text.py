"""`awk` and `sed`: their programs are read as far as needed to know that they only print."""

import re
from collections.abc import Sequence

from execution.command_check.context import TAME, UNKNOWN, WILD, Context
from execution.command_check.do_search import check_sought
from execution.command_check.options import parse, spec_of
from execution.command_check.paths import check_change, check_read
from execution.command_check.words import shown

_AWK = spec_of("", "Fv:x", "posix re-interval field-separator=x assign=x", "x*")
_TOKEN = re.compile(r'("(?:\\.|[^"\\\n])*")|(#[^\n]*)|([A-Za-z_]\w*)|(\d[\w.]*)|(\s+)|(.)', re.DOTALL)
#: The one program that it may pipe to, and nothing else in that text.
_SORTED = re.compile(r'\s*"sort(?: -[bdfghinrRuVM]+| -k ?\d[\d,.nr]*| -t ?[,:;|])*"(?=\s*(?:[;}\n]|$))')
_CALLS = frozenset(
    [
        "length",
        "substr",
        "index",
        "split",
        "sub",
        "gsub",
        "match",
        "sprintf",
        "tolower",
        "toupper",
        "int",
        "sqrt",
        "log",
        "exp",
        "sin",
        "cos",
        "atan2",
        "rand",
        "srand",
        "systime",
        "strftime",
        "mktime",
        "gensub",
        "asort",
        "asorti",
        "if",
        "while",
        "for",
        "print",
        "printf",
        "in",
        "return",
        "switch",
    ]
)
_NEVER = frozenset(
    (
        "system",
        "getline",
        "ENVIRON",
        "close",
        "fflush",
        "PROCINFO",
        "SYMTAB",
        "function",
        "func",
        "ARGV",
        "ARGC",
        "ARGIND",
    )
)


def awk(context: Context, argv: Sequence[str]) -> None:
    parsed = parse(context, argv, _AWK)
    operands = parsed["operands"]
    if not operands:
        context.escalate("awk without a program")
        return
    _awk_program(context, operands[0])
    check_sought(context, operands[0], [word for word in operands[1:] if not re.fullmatch(r"[A-Za-z_]\w*=.*", word)])
    for word in operands[1:]:
        if not re.fullmatch(r"[A-Za-z_]\w*=.*", word):
            check_read(context, word)


def _awk_program(context: Context, program: str) -> None:
    if not UNKNOWN.isdisjoint(program):
        context.escalate("an awk program that isn't fixed")
    if re.search(r"system\s*\(|getline|\|&|/inet/", program):
        context.block("an awk program that runs commands or reads files")
        return
    if re.search(r"\bwhile\s*\(\s*(1|!0|\"[^\"]+\")\s*\)|\bfor\s*\([^;]*;\s*1?\s*;", program):
        context.escalate("a loop that doesn't end")
    before, is_printing, depth, at = "", False, 0, 0
    while at < len(program):
        if program[at] == "/" and _starts_regex(before):
            end = re.compile(r"(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n\[])*/").match(program, at + 1)
            if end is None:
                context.escalate("an awk program that isn't understood")
                return
            at, before = end.end(), "regex"
            continue
        match = _TOKEN.match(program, at)
        if match is None:
            context.escalate("an awk program that isn't understood")
            return
        at = match.end()
        token = match[0]
        if match[2] or (match[5] and "\n" not in token):
            continue
        if token in ("print", "printf"):
            is_printing, depth = True, 0
        elif token in ";}" or "\n" in token:
            is_printing = False
        depth += (token == "(") - (token == ")")
        problem = _awk_token(token, match[3], before, program[at : at + 1], is_printing and depth <= 0)
        if problem == "an awk program that pipes" and (to := _SORTED.match(program, at)):
            at, problem = to.end(), ""
        if problem:
            context.block(problem)
        before = token


def _starts_regex(before: str) -> bool:
    return before in ("", "(", ",", "~", "!", "{", "}", ";", "&", "|", "in", "return", "print") or "\n" in before


def _awk_token(token: str, name: str | None, before: str, following: str, is_output: bool) -> str:
    if token == "|" and before != "|" and following != "|":
        return "an awk program that pipes"
    if token == ">" and is_output:
        return "an awk program that writes a file"
    if token in ("@", "`", "\\"):
        return "an awk program that isn't understood"
    if name in _NEVER or (name and following == "(" and name not in _CALLS):
        return f"an awk program that uses {name}"
    return ""


_JQ = spec_of("acCeMrsSjnR", "", "arg=x", "x*")


def jq(context: Context, argv: Sequence[str]) -> None:
    operands = parse(context, argv, _JQ)["operands"]
    if operands and WILD in operands[0]:
        context.escalate("a jq program that isn't fixed")
    if operands[1:] and re.search(
        r"(?i)pass|secret|token|api_?key|credential|private|datasource(?!\.(url|driver))|jdbc", operands[0]
    ):
        context.block("looks for secrets")
    if operands and re.search(r"\benv\b|\$ENV|\bimport\b|\binclude\b|\binputs?_filename|\$__", operands[0]):
        context.block("a jq program that reads the environment or files")
    elif operands and re.search(r"\b(repeat|while|until|infinite)\b", operands[0]):
        context.escalate("a loop that doesn't end")
    for word in operands[1:]:
        check_read(context, word)


_SED = spec_of(
    "nErsuz", "e:x l:n", "quiet silent expression=x regexp-extended separate posix null-data sandbox debug", "x*"
)
_ADDRESS = re.compile(
    r"\s*(?:(?:\d+(?:~\d+)?|\$|/(?:\\.|[^/\\])*/I?|\\(.)(?:(?!\1).)*\1)\s*(?:,\s*(?:[+~]?\d+|\$|/(?:\\.|[^/\\])*/I?)\s*)?)?!?\s*"
)


def sed(context: Context, argv: Sequence[str]) -> None:
    in_place = [word for word in argv[1:] if re.match(r"-[nErsuz]*i|--in-place", word)]
    parsed = parse(context, [word for word in argv if word not in in_place], _SED)
    scripts = [value for name, value in parsed["options"] if name in ("e", "expression")]
    operands = parsed["operands"]
    if not scripts:
        scripts, operands = operands[:1], operands[1:]
    for script in scripts:
        _sed_script(context, script)
        check_sought(context, script, operands)
    for word in operands:
        if in_place:
            check_change(context, word, what="edits")
            context.escalate(f"edits {shown(word)} in place")
        else:
            check_read(context, word)


def _sed_script(context: Context, script: str) -> None:
    if WILD in script:
        context.escalate("a sed program that isn't fixed")
    script = re.sub(f"[{TAME}{WILD}]", "x", script)
    at = 0
    while at < len(script):
        if script[at] in "; \t\n}":
            at += 1
            continue
        match = _ADDRESS.match(script, at)
        at = match.end() if match else at
        if at >= len(script):
            return
        command = script[at]
        at += 1
        if command == "s":
            at = _substitution(context, script, at)
        elif command == "y":
            at = _parts(script, at)
        elif command in "aic":
            at = len(script) if "\n" not in script[at:] else script.index("\n", at)
        elif command in "pdDPgGhHxnN=lqQ{z":
            digits = re.compile(r"\s*\d*").match(script, at)
            at = digits.end() if digits and command in "lqQ" else at
        elif command in "btT:":
            end = re.compile(r"[^;\n}]*").match(script, at)
            at = end.end() if end else at
        else:
            context.block(f"a sed program with “{shown(command)}”: runs, reads or writes")
            return
        if at < 0:
            context.escalate("a sed program that isn't understood")
            return


def _parts(script: str, at: int) -> int:
    """Past `/from/to/`; -1 where it doesn't end."""
    if at >= len(script) or script[at] in "\\\n":
        return -1
    delimiter, seen = script[at], 0
    at += 1
    while at < len(script) and seen < 2:
        if script[at] == "\\":
            at += 1
        elif (
            script[at] == "["
            and delimiter != "["
            and (end := re.compile(r"\[\^?\]?[^\]\n]*\]").match(script, at))
            and seen == 0
            and delimiter not in end[0]
        ):
            at = end.end() - 1
        elif script[at] == delimiter:
            seen += 1
        at += 1
    return at if seen == 2 else -1


def _substitution(context: Context, script: str, at: int) -> int:
    at = _parts(script, at)
    if at < 0:
        return -1
    match = re.compile(r"[^;\n}]*").match(script, at)
    flags = match[0] if match else ""
    if re.search(r"[ew]", flags):
        context.block("a sed program that runs or writes")
    elif not re.fullmatch(r"[gpiIm0-9 ]*", flags):
        return -1
    return at + len(flags)
