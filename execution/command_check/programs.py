"""One simple command, its words known: which rule speaks for it."""

import posixpath
import re
from collections.abc import Callable, Sequence

from execution.command_check import do_databases, do_middleware, do_network, do_run, do_services
from execution.command_check.context import WILD, Context, is_static
from execution.command_check.danger import BLOCKED, READS
from execution.command_check.do_archives import rsync, tar, unzip, zip_
from execution.command_check.do_files import copy, link, make_folder, mark, move, remove, shrink, tee
from execution.command_check.do_search import find, grep, xargs
from execution.command_check.do_text import awk, jq, sed
from execution.command_check.options import Spec, check_operands, parse
from execution.command_check.paths import absolute, check_output, in_app, is_device, is_secret
from execution.command_check.subcommands import PROGRAMS, subcommand
from execution.command_check.verbs import VERBS
from execution.command_check.verdict import Findings
from execution.command_check.words import shown

Handler = Callable[[Context, Sequence[str]], None]
_SYSTEM_BIN = re.compile(
    r"/(usr/)?(local/)?s?bin|/usr/lib/jvm/[\w.-]+/bin|/usr/(ucb|ccs/bin|xpg4/bin)|/usr/pgsql-\d+/bin|/usr/local/(apache|httpd|nginx|java|jdk|pgsql|mysql)[\w.-]*/s?bin"
)


def _change_place(context: Context, argv: Sequence[str]) -> None:
    """`cd`: relative names mean something else from here on."""
    operands = [word for word in argv[1:] if word not in ("-P", "-L", "--")]
    if len(operands) != 1 or not is_static(operands[0].replace("\x04", "")) or operands[0] == "-":
        context.cwd = f"/{WILD}"
    else:
        context.cwd = (
            absolute(context, operands[0]) if operands[0].startswith("/") or context.cwd else f"./{operands[0]}"
        )
        if context.cwd.startswith("./"):
            inside = absolute(context, operands[0])
            context.cwd = f"/{WILD}" if inside.startswith("..") else ""


def _source(context: Context, argv: Sequence[str]) -> None:
    """Settings of a known script, or of a log-in; everything else is hidden code."""
    word = argv[1] if len(argv) == 2 else WILD
    if word in ("\x0f/.bash_profile", "\x0f/.profile", "\x0f/.bashrc", "/etc/profile"):
        return
    path = absolute(context, word)
    if WILD in path or "\x04" in path or path.startswith(("/dev", "/tmp", "/proc")):
        context.block("runs what it can't be known")
    do_run.program(context, [word])


def _json_tool(context: Context, argv: Sequence[str]) -> None:
    """The one module of Python that only prints, and known scripts."""
    words = list(argv[1:])
    if words[:2] == ["-m", "json.tool"]:
        check_operands(context, argv[0], words[2:], ("r",))
    elif words and words[0].startswith("-"):
        if words[0] not in ("-V", "--version", "-v"):
            context.block("a program inside the line that can't be understood")
    elif words:
        do_run.program(context, words)
    else:
        context.block("an interpreter that runs what it reads")


def _jar(context: Context, argv: Sequence[str]) -> None:
    if len(argv) < 3 or not re.fullmatch(r"-?tv?f", argv[1]):
        context.escalate("packs or unpacks")


def _ssh(context: Context, argv: Sequence[str]) -> None:
    """Another host is another run; what would be said there is judged all the same."""
    rest = list(argv[1:])
    while rest and rest[0].startswith("-"):
        if re.match(r"-\w*[RLDwfN]|-oProxy|-F", rest[0]) or (
            rest[0] == "-o" and "command" in " ".join(rest[1:2]).lower()
        ):
            context.block("opens a tunnel or a hidden session")
        del rest[: 2 if rest[0] in ("-p", "-i", "-l", "-o", "-J", "-b", "-c", "-m", "-E", "-S", "-W") else 1]
    context.escalate("a command on another host")
    if len(rest) > 1:
        context.judge_script(context.inner(), " ".join(rest[1:]))


def _editor(context: Context, argv: Sequence[str]) -> None:
    commands = any(word.startswith(("-c", "+", "-s", "--cmd", "-e")) for word in argv[1:])
    (context.block if commands or context.stdin.is_piped else context.escalate)("an editor, where commands can be run")
    for word in argv[1:]:
        if re.search(r"passwd|shadow|sudoers|/\.ssh/|cron", word):
            context.block(f"edits {shown(word)}")


def _truncate(context: Context, argv: Sequence[str]) -> None:
    context.escalate("empties a file")
    for word in argv[1:]:
        if "/" in word:
            check_output(context, word, is_trivial=True)


def _printf(context: Context, argv: Sequence[str]) -> None:
    if any(word.startswith("-v") for word in argv[1:2]):
        context.block("sets a variable by its name")
    elif any("$(" in word or "`" in word for word in argv[1:]):
        context.escalate("text that looks like a command")


def _calculator(context: Context, argv: Sequence[str]) -> None:
    """`bc`: a loop may never end."""
    check_operands(context, argv[0], parse(context, argv, VERBS["bc"])["operands"], ())
    if re.search(r"\b(while|for|define)\b", context.stdin.text or ""):
        context.escalate("a loop that isn't understood")


def _history(context: Context, argv: Sequence[str]) -> None:
    if argv[1:] and not argv[1].isdigit():
        context.block("changes the history")


def _supervisor(context: Context, argv: Sequence[str]) -> None:
    if len(argv) > 2 and argv[1] in ("start", "restart", "stop"):
        do_services.service_action(context, argv[1], argv[2:])
    else:
        context.escalate("supervisorctl isn't known so")


def _git(context: Context, argv: Sequence[str]) -> None:
    if argv[1:2] == ["-C"] and len(argv) > 3:
        path = absolute(context, argv[2])
        if in_app(context, path) and is_static(path):
            context.judge_argv(context, [argv[0], *argv[3:]])
            return
    hidden = any(
        word in ("-c", "--exec-path", "-C") or word.startswith(("--upload-pack", "--exec")) for word in argv[1:]
    )
    (context.block if hidden or "--force" in argv else context.escalate)(
        f"git {shown(argv[1]) if len(argv) > 1 else ''}"
    )


_DESTROYS = re.compile(
    r"prune|delete|destroy|uninstall|remove|rm|rmi|purge|erase|drain|exec|run|cp|apply|flushall|flushdb|-X|-F|-P|--flush|--policy"
    r"|flush|disable|down|off|--panic-on|-e|autoremove|-H|--privileged|-D|-w|-U|-Uvh|-i|set|add|secret|secrets|inspect|--nodeps|commit|save|export|--delete|--alter|--reset-offsets|--execute"
)


def _other(context: Context, argv: Sequence[str]) -> None:
    """A program of the table of subcommands, asked for something else."""
    is_bad = any(_DESTROYS.fullmatch(word) for word in argv[1:])
    (context.block if is_bad and argv[0] not in ("yum", "dnf", "apt", "git") else context.escalate)(
        f"{argv[0]} {shown(' '.join(argv[1:3]))} isn't a look"
    )


_REMOVAL = frozenset(("remove", "erase", "autoremove", "purge", "rm"))


def _packages(context: Context, argv: Sequence[str]) -> None:
    removes = _REMOVAL.intersection(argv[1:]) or any(word in ("-e", "--erase", "--nodeps") for word in argv[1:])
    remote = any("://" in word or "trusted" in word or "::" in word for word in argv[1:])
    (context.block if removes or remote else context.escalate)(f"{argv[0]} changes packages")


_INTERPRETERS = dict.fromkeys(("python", "python2", "python3", "perl", "ruby", "php", "node"), _json_tool)
_FILES: dict[str, Handler] = {
    "rm": remove, "unlink": remove, "rmdir": remove, "cp": copy, "mv": move, "ln": link, "chmod": mark, "chown": mark, "chgrp": mark,
    "mkdir": make_folder, "tee": tee, "gzip": shrink, "gunzip": shrink, "bzip2": shrink, "bunzip2": shrink, "xz": shrink,
    "unxz": shrink, "compress": shrink, "uncompress": shrink, "tar": tar, "gtar": tar, "unzip": unzip, "zip": zip_, "rsync": rsync,
    "grep": grep, "egrep": grep, "fgrep": grep, "zgrep": grep, "zegrep": grep, "bzgrep": grep, "xzgrep": grep,
    "find": find, "xargs": xargs, "awk": awk, "gawk": awk, "mawk": awk, "nawk": awk, "sed": sed, "gsed": sed, "jq": jq, "source": _source, ".": _source,
    "cd": _change_place, "supervisorctl": _supervisor, "git": _git, "jar": _jar, "ssh": _ssh,
    "vi": _editor, "vim": _editor, "view": _editor, "nano": _editor, "ed": _editor, "ex": _editor, "emacs": _editor, "nvim": _editor,
    "truncate": _truncate, "bc": _calculator, "printf": _printf, "history": _history, "fc": _history,
}  # fmt: skip
HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(PROGRAMS, _other),
    **dict.fromkeys(("yum", "dnf", "apt", "apt-get", "zypper", "dpkg", "rpm"), _packages),
    **_INTERPRETERS,
    **do_services.HANDLERS,
    **do_middleware.HANDLERS,
    **do_network.HANDLERS,
    **do_databases.HANDLERS,
    **_FILES,
    **do_run.HANDLERS,
}


def judge_argv(context: Context, argv: Sequence[str]) -> None:
    """Judge one command by its words. Bounded by the budget, since commands hold commands."""
    context.budget.visits -= 1
    if context.budget.visits < 0 or not argv:
        context.escalate("too much to be looked at") if argv else None
        return
    name = _name(context, argv)
    if not name:
        return
    words = [name, *argv[1:]]
    if name == "ll":
        words[0] = name = "ls"
    _look_for_obvious(context, words)
    if name == "/service":
        do_services.service(context, ["service", posixpath.basename(argv[0]), *argv[1:]])
        return
    row = subcommand(words) if name in PROGRAMS else None
    if row is not None and _fits(context, *row):
        return
    if name in HANDLERS:
        HANDLERS[name](context, words)
    elif name in VERBS:
        parsed = parse(context, words, VERBS[name])
        check_operands(context, name, parsed["operands"], VERBS[name].operands)
    elif name in BLOCKED or name.split(".")[0] == "mkfs":
        if any(word in READS.get(name, ()) for word in words[1:2]):
            return
        context.block(f"{name}: {BLOCKED.get(name, 'destroys a file system')}")
    else:
        context.escalate(f"a program that isn't known: {shown(name)}")


def _fits(context: Context, spec: Spec, words: Sequence[str]) -> bool:
    """Whether the row of the table covers the words; what it doesn't know is left to the program's own rule."""
    trial = context.inner()
    trial.findings = Findings()
    parsed = parse(trial, words, spec)
    check_operands(trial, words[0], parsed["operands"], spec.operands)
    return not trial.findings.worst.verdict


def _name(context: Context, argv: Sequence[str]) -> str:
    """The program's name without its folder, where that is the system's; "" where everything is said already."""
    name = argv[0]
    if not is_static(name) or not re.fullmatch(r"[\w./+:@-]+", name) or not name.isascii():
        if name in ("[", "[["):
            return "test"
        context.block(f"the name of the program is hidden: {shown(name)}")
        return ""
    if "/" not in name:
        return name
    path = absolute(context, name)
    folder, base = posixpath.split(path)
    if _SYSTEM_BIN.fullmatch(folder):
        return base
    if folder in ("/etc/init.d", "/etc/rc.d/init.d", "/sbin/init.d"):
        return "/service"
    do_run.program(context, argv)
    return ""


_HOOKS = {
    "tar": ("--checkpoint-action", "--to-command", "--use-compress-program", "-I", "--rmt-command", "--rsh-command", "-F", "--info-script"),
    "tcpdump": ("-z",), "rsync": ("-e", "--rsh", "--rsync-path"), "sort": ("--compress-program",), "zip": ("-TT", "--unzip-command"),
    "man": ("-P", "-H", "--pager", "--html"), "split": ("--filter",), "xz": ("--files",), "curl": ("-K", "--config", "-T", "-d", "-F", "--data",
    "--data-binary", "--upload-file", "--form"), "wget": ("--use-askpass", "--post-file", "--post-data", "--body-file"), "sed": ("-f",), "make": ("-f",),
}  # fmt: skip


def _look_for_obvious(context: Context, words: Sequence[str]) -> None:
    """Whatever the program: nothing good comes of a device, a secret or a channel among its words."""
    if words[0] in (
        "echo",
        "grep",
        "egrep",
        "fgrep",
        "zgrep",
        "printf",
        "ls",
        "stat",
        "man",
        "logger",
        "test",
        "find",
        "ps",
        "pgrep",
        "file",
        "lsof",
        "fuser",
    ):
        return
    for word in words[1:]:
        if word.startswith(("/dev/tcp/", "/dev/udp/")):
            context.block("opens a channel to another host")
        elif word.partition("=")[0] in _HOOKS.get(words[0], ()):
            context.block(f"{shown(words[0])} {shown(word)} runs another program")
        elif words[0] not in VERBS and words[0] not in HANDLERS:
            path = absolute(context, word)
            if is_secret(path) or (is_device(path) and words[0] not in READS):
                context.block(f"{shown(words[0])} on {shown(path)}")
