"""One simple command, its words known: which rule speaks for it."""

import posixpath
import re
from collections.abc import Callable, Sequence

from execution.command_check import do_asked, do_databases, do_middleware, do_network, do_run, do_services, do_shell
from execution.command_check.context import Context, is_static
from execution.command_check.danger import BLOCKED, READS
from execution.command_check.do_archives import rsync, tar, unzip, zip_
from execution.command_check.do_files import copy, link, make_folder, mark, move, remove, shrink, tee, touch
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
    r"|/opt/IBM/WebSphere/[\w.-]+(/profiles/[\w-]+)?/bin|/opt/(kafka|zookeeper|jboss|wildfly|jeus|webtob|tibero|altibase|cubrid|redis|haproxy|nginx|pgsql|mysql|mariadb)[\w.-]*/s?bin"
    r"|/u\d\d/app/(oracle/product|grid|[\d.]+/grid)(/[\w.]+){0,3}/(bin|OPatch)"
)


def _json_tool(context: Context, argv: Sequence[str]) -> None:
    """The one module of Python that only prints, and known scripts."""
    words = list(argv[1:])
    if words[:2] == ["-m", "json.tool"]:
        check_operands(context, argv[0], words[2:], ("r",))
    elif words and words[0].startswith("-"):
        is_told = words in (["-V"], ["--version"]) or (words == ["-v"] and not argv[0].startswith("python"))
        if not is_told:  # `python3 -v`, and with more words others too, run what follows or is piped in
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


def _calculator(context: Context, argv: Sequence[str]) -> None:
    """`bc`: a loop may never end."""
    check_operands(context, argv[0], parse(context, argv, VERBS["bc"])["operands"], ())
    if re.search(r"\b(while|for|define)\b", context.stdin.text or ""):
        context.escalate("a loop that isn't understood")


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
    "touch": touch, "mkdir": make_folder, "tee": tee, "gzip": shrink, "gunzip": shrink, "bzip2": shrink, "bunzip2": shrink, "xz": shrink,
    "unxz": shrink, "compress": shrink, "uncompress": shrink, "tar": tar, "gtar": tar, "unzip": unzip, "zip": zip_, "rsync": rsync,
    "grep": grep, "egrep": grep, "fgrep": grep, "zgrep": grep, "zegrep": grep, "bzgrep": grep, "xzgrep": grep,
    "find": find, "xargs": xargs, "awk": awk, "gawk": awk, "mawk": awk, "nawk": awk, "sed": sed, "gsed": sed, "jq": jq,
    "supervisorctl": _supervisor, "git": _git, "jar": _jar, "ssh": _ssh,
    "vi": _editor, "vim": _editor, "view": _editor, "nano": _editor, "ed": _editor, "ex": _editor, "emacs": _editor, "nvim": _editor,
    "truncate": _truncate, "bc": _calculator,
}  # fmt: skip
HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(PROGRAMS, _other),
    **dict.fromkeys(("yum", "dnf", "apt", "apt-get", "zypper", "dpkg", "rpm"), _packages),
    **_INTERPRETERS,
    **do_services.HANDLERS,
    **do_shell.HANDLERS,
    **do_asked.HANDLERS,
    **do_middleware.HANDLERS,
    **do_network.HANDLERS,
    **do_databases.HANDLERS,
    **_FILES,
    **do_run.HANDLERS,
}


#: What they are is told by these too; not by what acts on any word, as old systems' `reboot` and `killall` do.
_TELLS = frozenset(
    """tar gzip bzip2 xz zip unzip rsync find xargs awk gawk sed grep jq curl wget openssl psql mysql mariadb sqlite3 redis-cli mongosh cp mv ssh
    keepalived pkg-config script split sosreport sos bmon pg_config screen tmux make cmake bconsole perl ruby strace scp mysqldump pg_dump
    vim vi nano env sudo""".split()
)


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
    if words[1:] in (["--version"], ["--help"]) and (name in VERBS or name in PROGRAMS or name in _TELLS):
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
        if _only_reads(name, words[1:]):
            return
        context.block(f"{name}: {BLOCKED.get(name, 'destroys a file system')}")
    else:
        context.escalate(f"a program that isn't known: {shown(name)}")


def _only_reads(name: str, words: Sequence[str]) -> bool:
    """The first word says that it looks, and no other one says more."""
    looks = READS.get(name, ())
    return (
        words[:1] != []
        and words[0] in looks
        and all(word in looks or re.fullmatch(r"/dev/[\w/.-]+|--output-format=\w+", word) for word in words[1:])
    )


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
