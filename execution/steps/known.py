"""The commands of the step library as templates: their text is ours, their words are judged by what they stand for.

p: a path of the host's application (q: or nothing), x: a path that may lie elsewhere (an extra approval then), n: a
number, t: text that the script only reads, g: the program that a template is named after, j: a line for cron, whose job
is judged, e: code in another language (an extra approval), c: all that follows is a command, judged as one. A last
letter with * may be repeated. A program is looked up by its exact words, a script by its exact text, so that a
parameter can't pass for a template.
"""

from collections.abc import Mapping, Sequence

from execution.steps import files, service
from execution.steps.scripts import SCRIPTS as LONG

SCRIPTS: Mapping[str, str] = {
    files._FREE_MIB: "p",
    files._SHA256: "p",
    files._MOVE_ASIDE: "pp",
    files._MOVE_BACK: "pp",
    files._DROP_IF_BACKED_UP: "pp",
    service._PID: "p",
    service._GONE: "n",
    service._LIVE_PID: "p",
    service._SIZE: "p",
    service._LOG_SINCE: "pn",
    service._UP: "pp",
}
#: Of the scripts in `execution.steps.scripts`; words at the end may be missing.
_LONG_KINDS = {
    "accounts": "nt",
    "backup": "txp",
    "certificate": "ptn",
    "clean": "txpntx*",
    "config": "txttpqc",
    "cron": "tgtjp",
    "disk": "nt",
    "end": "ntn",
    "facts": "tttt*",
    "haproxy": "ttttn",
    "lines": "xt",
    "logs": "xnnt*",
    "memory": "nn",
    "nginx": "txtgt",
    "port": "ttnttttn",
    "process": "ttnnn",
    "reboot": "ttc",
    "replace": "txppqc",
    "rotate": "txx",
    "security": "pt",
    "since": "xn",
    "sum": "t",
    "sync": "tppxpt",
    "then": "pc",
    "tool": "ett*",
    "tree": "x",
}
LONG_SCRIPTS: Mapping[str, str] = {LONG[name]: kinds for name, kinds in _LONG_KINDS.items()}
#: Programs that a `g` may be: by name, or by that name below a system's folder of programs.
NAMED = frozenset(("nginx", "crontab"))
#: What a reboot is; anything else behind the script is judged as a command.
REBOOT = ("shutdown", "-r", "now")
PROGRAMS: Mapping[tuple[str, ...], str] = {
    ("rm", "-f", "--"): "p",
    ("rm", "-rf", "--"): "p*",
    ("mv", "-fT", "--"): "pp",
    ("test", "-e"): "p",
    ("test", "!", "-e"): "p",
    ("false",): "",
}


#: Those of ours that may share a shell: quick, nothing of them goes on behind their end, and none asks for its process,
#: which is the shared shell's.
_SHORT = frozenset(SCRIPTS) - {service._UP} | {LONG["facts"]}


def is_short(argv: Sequence[str]) -> bool:
    """Whether a command is one of the library's own that leave nothing behind."""
    if list(argv[:2]) == ["sh", "-c"]:
        return len(argv) > 3 and argv[3] == "guardia" and argv[2] in _SHORT
    return template_of(argv) is not None


def template_of(argv: Sequence[str]) -> tuple[str, Sequence[str]] | None:
    """(kinds, words) of a command that is one of ours, a kind for each word; None otherwise."""
    if len(argv) > 3 and list(argv[:2]) == ["sh", "-c"] and argv[3] == "guardia":
        if argv[2] in SCRIPTS:
            return SCRIPTS[argv[2]], argv[4:]
        if argv[2] in LONG_SCRIPTS:
            words = argv[4:]
            return _spread(LONG_SCRIPTS[argv[2]], len(words))[: len(words)], words
    for length in (3, 2, 1):
        kinds = PROGRAMS.get(tuple(argv[:length]))
        if kinds is not None and len(argv) >= length:
            words = argv[length:]
            if len(_spread(kinds, len(words))) == len(words):
                return _spread(kinds, len(words)), words
    return None


def _spread(kinds: str, count: int) -> str:
    """The kinds of so many words, where the last kind repeats; `c` takes all that follow."""
    if kinds.endswith("c") and count > len(kinds):
        return kinds + "c" * (count - len(kinds))
    if not kinds.endswith("*"):
        return kinds
    fixed = kinds[:-2]
    return fixed + kinds[-2] * max(1, count - len(fixed))
