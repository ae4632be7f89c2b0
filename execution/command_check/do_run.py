"""Programs that run other programs: the wrappered one is what is judged."""

import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from execution.command_check.context import Context, is_static
from execution.command_check.options import HOOKS, check_operands
from execution.command_check.paths import absolute, check_change
from execution.command_check.words import is_secret_variable, shown

ALLOWED_VARIABLES = re.compile(r"(LC_\w+|LANG|LANGUAGE|TZ|COLUMNS|LINES|NLS_LANG|PGCONNECT_TIMEOUT|PGOPTIONS_)$")

#: Where the system's own Java lies.
_JAVA = re.compile(r"/usr/(lib/jvm|java)/[\w-][\w.-]*")


@dataclass(frozen=True, slots=True)
class Wrapper:
    """`valued`: options with a value; `flags`: options without; `before`: operands before the command."""

    valued: frozenset[str]
    flags: frozenset[str]
    before: int = 0


def _wrapper(valued: str = "", flags: str = "", before: int = 0) -> Wrapper:
    return Wrapper(frozenset(valued.split()), frozenset(flags.split()), before)


WRAPPERS = {
    "nohup": _wrapper(),
    "nice": _wrapper("-n --adjustment", ""),
    "ionice": _wrapper("-c -n", "-t"),
    "timeout": _wrapper("-s -k --signal --kill-after", "--foreground --preserve-status -v", 1),
    "stdbuf": _wrapper("-i -o -e", ""),
    "setsid": _wrapper("", "-w -f --wait --fork"),
    "time": _wrapper("-f", "-p -v"),
    "chronic": _wrapper(),
    "command": _wrapper("", "-p"),
    "builtin": _wrapper(),
    "exec": _wrapper("-a", "-c -l"),
    "sudo": _wrapper("-u -g --user --group", "-n -H -E -S"),
    "watch": _wrapper("-n --interval", "-d -t -b -e -g -c --no-title --color"),
    "env": _wrapper("-u --unset", "-i --ignore-environment -0 -"),
    "taskset": _wrapper("", "-c", 1),
    "chrt": _wrapper("", "-b -f -i -o -r", 1),
    "flock": _wrapper("-w -E", "-n -x -s", 1),
    "caffeinate": _wrapper(),
    "unbuffer": _wrapper(),
}


def wrapped(context: Context, argv: Sequence[str]) -> None:
    name = argv[0]
    wrapper = WRAPPERS[name]
    rest = list(argv[1:])
    if name in ("taskset", "chrt", "ionice") and len(argv) == 3 and re.fullmatch(r"-c?pc?", argv[1]):
        return  # of a process, how it is
    if name == "command" and rest[:1] in (["-v"], ["-V"]):
        return
    if name == "sudo" and re.fullmatch(r"(-n )?(-l|--list)( -U [\w.-]+)?", " ".join(rest)):
        return
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        if word == "--":
            break
        if name == "sudo" and "#" in "".join([word, *rest[:1]]):  # a number, which may be wrapped to that of root
            context.escalate("becomes another user")
        if word in wrapper.valued:
            del rest[:1]
        elif (
            word in wrapper.flags
            or word.partition("=")[0] in wrapper.valued
            or word[:2] in wrapper.valued
            or (re.fullmatch(r"-\d+", word) and name in ("nice", "watch"))
        ):
            pass
        else:
            context.escalate(f"{name}: option {shown(word)} isn't known here")
            return
    if name == "flock" and rest and not rest[0].isdigit():
        check_change(context, rest[0], what="changes")
    del rest[: wrapper.before]
    if name in ("env", "sudo"):
        while rest and re.match(r"[A-Za-z_]\w*=", rest[0]):
            check_variable(context, *rest.pop(0).split("=", 1), is_passed=True)
        if not rest:
            context.escalate(
                "shows the environment, with the passwords in it" if name == "env" else "a shell as another user"
            )
            return
    if name == "watch" and rest:  # it puts its words together for a shell
        if not all(map(is_static, rest)):
            context.escalate("a shell runs text that isn't fixed")
        context.judge_script(context.inner(), " ".join(rest))
    elif rest:
        context.judge_argv(context.inner(), rest)


def check_variable(context: Context, name: str, value: str, *, is_passed: bool) -> None:
    """`is_passed`: programs get it, and may obey it."""
    if name in HOOKS or name.startswith(("BASH", "LD_", "DYLD_", "GIT_", "SUDO_")):
        context.block(f"sets {name}, which programs obey")
    elif (is_passed and name != "TZ" and ALLOWED_VARIABLES.match(name) and "/" in value) or (
        is_passed and not ALLOWED_VARIABLES.match(name) and not (name == "JAVA_HOME" and _JAVA.fullmatch(value))
    ):
        context.escalate(f"passes {name} to a program")


_SHELLS = frozenset(("sh", "bash", "ksh", "dash", "zsh", "ash", "rbash", "csh", "tcsh", "mksh", "fish"))


def shell(context: Context, argv: Sequence[str]) -> None:
    """`sh -c TEXT` is TEXT; `sh FILE` is FILE; a shell on an input runs that."""
    rest = list(argv[1:])
    while rest and rest[0] in ("-e", "-u", "-x", "-eu", "-ex", "-l", "-v", "--login", "--norc", "--noprofile"):
        rest.pop(0)
    if rest == ["--version"]:
        return
    if rest and re.fullmatch(r"-[elux]*c", rest[0]) and len(rest) > 1:
        script = rest[1]
        if not is_static(script):
            context.block("a shell runs text that isn't fixed")
            return
        inner = context.inner()
        inner.variables.clear()
        if re.search(r"\$[0@*]", script):
            context.block("a shell runs its arguments")
        _positional(inner, rest[2:])
        context.judge_script(inner, script)
    elif rest and rest[0] == "-n" and len(rest) == 2:
        return
    elif not rest or rest[0].startswith("-"):
        context.block("a shell that runs what it reads")
    else:
        program(context, rest)


def _positional(context: Context, words: Sequence[str]) -> None:
    for number, word in enumerate(words):
        context.variables[str(number)] = word


def as_user(context: Context, argv: Sequence[str]) -> None:
    """`su USER -c TEXT`, `runuser`."""
    rest = [word for word in argv[1:] if word not in ("-", "-l", "--login")]
    user = rest[0] if rest and not rest[0].startswith("-") else ""
    if len(rest) == 3 and user and rest[1] == "-c" and user != "root" and is_static(rest[2]):
        context.judge_script(context.inner(), rest[2])
    elif user == "root" or not user:
        context.block("becomes root")
    else:
        context.escalate("becomes another user")


#: What scripts are called, or told, that take something away.
_STOPS = re.compile(r"(?:^|[^a-z])(?:stop|shutdown|halt|kill)(?:[A-Z_.\d-]|all|$)")
_UNDOES = re.compile(
    r"(?:^|[^a-z])(?:purge|delete|drop|destroy|wipe|truncate|uninstall|undeploy|rollback|restore|failover|switchover)(?:[A-Z_.\d-]|$)"
)
_LOOKS = re.compile(r"(?:check|show|list|view|report|status|verify|test)[A-Z_.-]")


def _stops(context: Context, words: Sequence[str]) -> bool:
    """A script that stops is routine where the line starts again what it stopped."""
    said = words[:2]
    if "--dry-run" in words or _LOOKS.match(words[0]):
        return False
    return any(map(_UNDOES.search, said)) or (any(map(_STOPS.search, said)) and "" not in context.restarted)


def program(context: Context, argv: Sequence[str]) -> None:
    """A program by its path: known where the profile says so, else an extra approval."""
    path = absolute(context, argv[0])
    known = context.surroundings.programs
    if not is_static(path):
        context.block(f"runs a program whose name isn't fixed: {shown(path)}")
    elif path not in known and (
        path.startswith(("/tmp/", "/var/tmp/", "/dev/")) or "/upload" in path or "/tmp/" in path
    ):
        context.block(f"runs a program out of {shown(path)}")
    elif any(path == one or (one.endswith("/") and path.startswith(one)) for one in known):
        if not all("\x05" not in word for word in argv[1:]):
            context.escalate("a known program with arguments that aren't known")
        elif path not in known and _stops(context, [posixpath.basename(path), *argv[1:]]):
            context.escalate("stops or undoes something, by a script")
        elif any(re.search(r"[;&|`$<>\n]", word) for word in argv[1:]):
            context.escalate("a known program with arguments for a shell")
        else:
            check_operands(context, path, argv[1:], ("t*",))
    else:
        context.escalate(f"a program that isn't known: {shown(path)}")


def print_variables(context: Context, argv: Sequence[str]) -> None:
    """`printenv NAME`; without a name it shows them all."""
    if len(argv) == 1:
        context.escalate("shows the environment, with the passwords in it")
    for word in argv[1:]:
        if is_secret_variable(word):
            context.block(f"shows the secret ${word}")
        elif not word.isidentifier():
            context.escalate(f"not a name: {shown(word)}")


Handler = Callable[[Context, Sequence[str]], None]
HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(WRAPPERS, wrapped),
    **dict.fromkeys(_SHELLS, shell),
    "printenv": print_variables,
    "su": as_user,
    "runuser": as_user,
}
