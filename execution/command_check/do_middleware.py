"""Servers of the web and of Java, and the tools that ask them how they are."""

import re
from collections.abc import Sequence

from execution.command_check.context import WILD, Context, is_static
from execution.command_check.paths import check_output
from execution.command_check.words import shown

_JMAP = frozenset(("-histo", "-histo:live", "-heap", "-clstats", "-finalizerinfo"))
_JCMD = re.compile(
    r"(GC\.(heap_info|class_histogram|run_finalization_)|Thread\.print|VM\.(version|uptime|flags|native_memory|info|classloader_stats|log list)|Compiler\.(codecache|codelist|queue|CodeHeap_Analytics|directives_print)|help|-l)"
)


def jmap(context: Context, argv: Sequence[str]) -> None:
    words = argv[1:]
    if len(words) == 2 and words[0] in _JMAP and WILD not in words[1]:
        return
    context.block("dumps the memory of a process") if "dump" in " ".join(words) else context.escalate(
        "jmap isn't known so"
    )


def jcmd(context: Context, argv: Sequence[str]) -> None:
    words = list(argv[1:])
    if not words or words == ["-l"]:
        return
    if WILD in words[0] or words[0].startswith("-"):  # `-J…` loads code into the asking machine itself
        context.escalate("an argument that isn't known")
    for word in words[1:2]:
        if not _JCMD.fullmatch(word):
            context.block(f"jcmd {shown(word)}") if "dump" in word or "propert" in word else context.escalate(
                f"jcmd {shown(word)}"
            )
    for word in words[2:]:
        if "/" in word:
            check_output(context, word)


_JAVA = re.compile(
    r"-version|--version|-fullversion|-showversion|-XX:\+Print\w+|-X(m[sxn]\d+\w?|log:\w+)|-Xinternalversion|-XshowSettings:(vm|locale|system)"
)


def java(context: Context, argv: Sequence[str]) -> None:
    is_look = len(argv) > 1 and all(_JAVA.fullmatch(word) for word in argv[1:]) and "ersion" in argv[-1]
    if not is_look:
        context.escalate("runs a Java program")


def nginx(context: Context, argv: Sequence[str]) -> None:
    words = list(argv[1:])
    if words == ["-s", "reload"] or words == ["-s", "reopen"]:
        return
    context.escalate("nginx isn't known so")


def httpd(context: Context, argv: Sequence[str]) -> None:
    words = list(argv[1:])
    if words in (["-k", "graceful"], ["-k", "restart"], ["-k", "start"], ["-t", "-D", "DUMP_VHOSTS"], ["-M"]):
        return
    context.escalate("a web server that isn't asked for its state")


#: What the consoles of WebtoB, JEUS, JBoss and Oracle's `adrci` are asked, where it is a look.
_ASKED = {
    "wsadmin": re.compile(r"(si|ci|st|cfg|config|svrinfo|version|license|help)(\s+-\w+)*(\s+[\w.*-]+)?"),
    "jeusadmin": re.compile(
        r"(help|(server|application|thread|memory|jndi|domain|cluster)-info|list-(servers|clusters|applications|data-sources)"
        r"|show-(web|session|transaction|thread|system)-\w[\w-]*)(\s+-{0,2}[\w.-]+)*"
    ),
    "jboss-cli.sh": re.compile(
        r":read-attribute\(name=(server-state|running-mode|product-version|release-version|uptime|launch-type)\)|deployment-info|version"
    ),
    "adrci": re.compile(r"(show\s+(alert|incident|problem|homes?|tracefile)|set\s+home(path)?)(\s+-?[\w./]+)*", re.I),
}
_CONSOLE_OPTIONS = frozenset(("-C", "-c", "--connect", "-v", "-version", "--version", "-f"))


def console(context: Context, argv: Sequence[str]) -> None:
    """A console that is handed its commands: each of them must be a look."""
    asked: list[str] = []
    rest = list(argv[1:])
    while rest:
        word = rest.pop(0)
        if word in ("-u", "-p", "-host", "-port", "-domain", "-d"):
            del rest[:1]
        elif not word.startswith("-") or word.partition("=")[0] in ("--command", "--commands"):
            asked.append(re.sub(r"^(exec|--commands?)=", "", word))
        elif word not in _CONSOLE_OPTIONS or word == "-f":
            context.escalate(f"{argv[0]}: option {shown(word)} isn't known here")
    commands = [command.strip() for text in asked for command in re.split(r";" if argv[0] == "adrci" else r"$", text)]
    if context.stdin.is_piped or not (any(commands) or {"-v", "-version", "--version"} & set(argv)):
        context.escalate(f"a console that isn't asked for a look: {argv[0]}")
    for command in filter(None, commands):
        if not is_static(command) or not _ASKED[argv[0]].fullmatch(command):
            context.escalate(f"a console that isn't asked for a look: {argv[0]}")


HANDLERS = {
    "jmap": jmap, "jcmd": jcmd, "java": java, "nginx": nginx, "httpd": httpd, "apachectl": httpd, "apache2ctl": httpd,
    **dict.fromkeys(_ASKED, console),
}  # fmt: skip
