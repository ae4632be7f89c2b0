"""Reads a program's options by a line of the table of verbs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

from execution.command_check.context import TAME, UNKNOWN, WILD, Context
from execution.command_check.kinds import KINDS_OF_PROGRAMS
from execution.command_check.paths import check_change, check_output, check_read, check_tree
from execution.command_check.words import shown

#: Variables that shells, loaders and programs obey.
HOOKS = frozenset(
    [
        "PATH",
        "IFS",
        "ENV",
        "CDPATH",
        "SHELLOPTS",
        "GLOBIGNORE",
        "PS0",
        "PS1",
        "PS2",
        "PS3",
        "PS4",
        "PROMPT_COMMAND",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "PYTHONHOME",
        "PERL5LIB",
        "PERL5OPT",
        "PERLLIB",
        "RUBYOPT",
        "RUBYLIB",
        "NODE_OPTIONS",
        "NODE_PATH",
        "JAVA_TOOL_OPTIONS",
        "_JAVA_OPTIONS",
        "JDK_JAVA_OPTIONS",
        "CLASSPATH",
        "PAGER",
        "MANPAGER",
        "GIT_PAGER",
        "SYSTEMD_PAGER",
        "LESSOPEN",
        "LESSCLOSE",
        "LESS",
        "LESSSECURE",
        "EDITOR",
        "VISUAL",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "SUDO_ASKPASS",
        "GCONV_PATH",
        "LOCPATH",
        "HISTFILE",
        "HISTSIZE",
        "HISTCONTROL",
        "HISTIGNORE",
        "HISTFILESIZE",
        "HOME",
        "SHELL",
        "TERM",
        "TERMINFO",
        "http_proxy",
        "https_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "SSH_AUTH_SOCK",
        "KUBECONFIG",
        "DOCKER_HOST",
        "PGSERVICEFILE",
        "MYSQL_HOME",
        "TAR_OPTIONS",
        "GREP_OPTIONS",
        "GZIP",
        "RSYNC_RSH",
        "BROWSER",
        "INPUTRC",
        "TMPDIR",
        "FUNCNEST",
        "POSIXLY_CORRECT",
        "OPENSSL_CONF",
        "RANDOM",
        "UID",
        "EUID",
        "CATALINA_OPTS",
        "JAVA_OPTS",
        "AWKPATH",
        "AWKLIBPATH",
        "ORACLE_PATH",
        "SQLPATH",
        "XDG_CONFIG_HOME",
        "LD_PRELOAD",
    ]
)


@dataclass(frozen=True, slots=True)
class Spec:
    """`flags`: letters; `valued`: letters with a value → its kind; `longs`: names → kind of the value, "" for none.

    `operands` are kinds in order, the last one repeats with “*”; none: the program takes no operand here. `needed`: one of
    these options must be there (“!a,b” in the table).
    """

    flags: str
    valued: dict[str, str]
    longs: dict[str, str]
    operands: tuple[str, ...]
    needed: frozenset[str]


class Parsed(TypedDict):
    options: list[tuple[str, str]]
    operands: list[str]


def spec_of(flags: str, valued: str, longs: str, operands: str) -> Spec:
    pairs = (item.partition(":") for item in valued.split())
    names = (item.partition("=") for item in longs.split())
    return Spec(
        flags=flags.strip(),
        valued={letter: kind or "x" for name, _colon, kind in pairs for letter in name},
        longs={name: (kind or "x") if equals else "" for name, equals, kind in names},
        operands=tuple(kind for kind in operands.split() if not kind.startswith("!")),
        needed=frozenset(word for kind in operands.split() if kind.startswith("!") for word in kind[1:].split(",")),
    )


def parse(context: Context, argv: Sequence[str], spec: Spec) -> Parsed:
    """Options and operands; an option that isn't in the table is an extra approval."""
    options: list[tuple[str, str]] = []
    operands: list[str] = []
    rest = list(argv[1:])
    while rest:
        word = rest.pop(0)
        if word == "--":
            operands += rest
            break
        if word.startswith("--"):
            _long(context, argv[0], word, spec, rest, options)
        elif len(word) > 1 and word[0] == "-":
            _short(context, argv[0], word, spec, rest, options)
        elif len(word) > 1 and word[0] == "+" and "+" in spec.flags and word[1:].isdigit():
            continue
        else:
            operands.append(word)
    check_needed(context, argv[0], options, spec)
    return {"options": options, "operands": operands}


def _long(context: Context, name: str, word: str, spec: Spec, rest: list[str], options: list[tuple[str, str]]) -> None:
    option, equals, value = word[2:].partition("=")
    kind = spec.longs.get(option)
    if kind is None:
        context.escalate(f"{name}: option --{shown(option)} isn't known here")
        return
    if kind and not equals:
        optional = kind.endswith("?")
        value = "" if optional else rest.pop(0) if rest else ""
    options.append((option, value))
    if kind:
        check_kind(context, kind.rstrip("?"), value)


def _short(context: Context, name: str, word: str, spec: Spec, rest: list[str], options: list[tuple[str, str]]) -> None:
    if "#" in spec.flags and word[1:].rstrip("fFc").isdigit():
        options.append(("#", word[1:]))
        return
    is_single = word[1] not in spec.flags or (spec.longs.get(word[1:]) == "" and not set(word[1:]) <= set(spec.flags))
    if word[1:] in spec.longs and len(word) > 2 and is_single and word[1] not in spec.valued:
        _long(context, name, "-" + word, spec, rest, options)
        return
    at = 1
    while at < len(word):
        letter = word[at]
        at += 1
        if letter in spec.valued:
            kind = spec.valued[letter]
            value = word[at:] or (rest.pop(0) if rest and not kind.endswith("?") else "")
            options.append((letter, value))
            check_kind(context, kind.rstrip("?"), value)
            return
        if letter not in spec.flags or letter in "#+":
            context.escalate(f"{name}: option -{shown(letter)} isn't known here")
            return
        options.append((letter, ""))


def check_needed(context: Context, name: str, options: Sequence[tuple[str, str]], spec: Spec) -> None:
    """Some programs only look when they are told to."""
    if spec.needed and not any(option in spec.needed for option, _value in options):
        context.escalate(f"{name} isn't told only to look")


def check_operands(context: Context, name: str, operands: Sequence[str], kinds: Sequence[str]) -> None:
    position = 0
    for operand in operands:
        if position >= len(kinds):
            context.escalate(f"{name}: an operand too many: {shown(operand)}")
            return
        kind = kinds[position]
        if not kind.endswith("*"):
            position += 1
        check_kind(context, kind.rstrip("*"), operand)


def check_kind(context: Context, kind: str, value: str) -> None:
    if kind == "x":
        return
    KINDS[kind](context, value)


def _read(context: Context, value: str) -> None:
    if value.startswith("+") and value not in ("+G", "+F") and not value[1:].isdigit():
        context.escalate(f"a start command: {shown(value)}")
    if value not in ("-", "", "+G", "+F"):
        check_read(context, value)


def _metadata(context: Context, value: str) -> None:
    """Names, sizes and dates are no secret; some programs would fetch an address, though."""
    if "://" in value:
        context.escalate(f"fetches from {shown(value)}")


def _tame(context: Context, value: str) -> None:
    if WILD in value:
        context.escalate("an argument that isn't known")


def _number(context: Context, value: str) -> None:
    if not value.replace(TAME, "1").replace(",", "").replace(".", "").lstrip("+-").rstrip("kKmMgGshd").isdigit():
        context.escalate(f"not a number: {shown(value)}")


def _literal(context: Context, value: str) -> None:
    if not UNKNOWN.isdisjoint(value):
        context.escalate("an argument that isn't known")


def _format(context: Context, value: str) -> None:
    """Of `date`: anything else sets the clock."""
    if not value.startswith("+"):
        context.block("sets the clock")


def _plain_name(context: Context, value: str) -> None:
    if not value.isidentifier():
        context.escalate(f"not a name: {shown(value)}")


def _identifier(context: Context, value: str) -> None:
    """A variable that may be set; never one that the shell or a program obeys."""
    if not set_by_program(value):
        context.block(f"sets {shown(value)}")
    context.variables[value] = WILD


def set_by_program(name: str) -> bool:
    return name.isidentifier() and name not in HOOKS and not name.startswith(("BASH", "LD_", "DYLD_"))


def _output(context: Context, value: str) -> None:
    check_output(context, value)


def _change(context: Context, value: str) -> None:
    check_change(context, value, what="changes")


KINDS: dict[str, Callable[[Context, str], None]] = {
    "r": _read,
    "R": check_tree,
    "m": _metadata,
    "t": _tame,
    "n": _number,
    "l": _literal,
    "F": _format,
    "I": _identifier,
    "a": _plain_name,
    "o": _output,
    "w": _change,
    **KINDS_OF_PROGRAMS,
}
