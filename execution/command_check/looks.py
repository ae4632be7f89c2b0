"""Commands that only look: what an operator may run at once. Narrower than `allow`, which holds routine changes too."""

import shlex

from execution.command_check.check import check_command
from execution.command_check.context import Surroundings
from execution.command_check.verdict import Verdict

_NOBODYS = Surroundings((), (), ())
_LOOKS = frozenset(
    "arch cat cut df dpkg-query du echo free getconf getenforce getent grep egrep fgrep head id iostat ls lsblk lscpu lsof "
    "md5sum mpstat netstat nproc pgrep printf ps pwd readlink sha256sum sort stat sum test tr true uname uptime vmstat "
    "w wc whoami".split()
)
#: These without any word behind them.
_BARE = frozenset(("date", "hostname", "last", "mount", "uniq", "ss"))
#: Programs with a part that looks: the first word behind the program's name must be one of these.
_PARTS = {
    "systemctl": frozenset(("status", "is-active", "is-enabled", "is-failed", "list-units", "list-timers", "show")),
    "rpm": frozenset(("-q", "-qa", "-qi", "-ql", "-qf")),
    "dpkg": frozenset(("-l", "-s", "-L", "-S")),
    "nginx": frozenset(("-t", "-v", "-V")),
    "haproxy": frozenset(("-v", "-vv")),
    "java": frozenset(("-version", "--version")),
    "crontab": frozenset(("-l",)),
    "ip": frozenset(("addr", "a", "route", "r", "link")),
    "timedatectl": frozenset(("status", "show")),
}
#: Of programs above: letters of options that make more of them than a look, or let them run for ever.
_MORE = {"sort": "oTS", "tail": "fF", "crontab": "reu", "ip": "b", "rpm": "eiUF", "dpkg": ""}
_CHANGES = frozenset(("add", "del", "delete", "set", "change", "replace", "flush", "append", "exec", "restore"))


def is_look(line: str) -> bool:
    """Whether the whole line only reads: simple commands in a pipe, each of a program that looks, and allowed by the
    check on a host where nothing is the application's own. Anything cleverer isn't one, whatever it does."""
    if (
        any(sign in line for sign in ";&<>`$(){}\\\n#~!")
        or check_command("shell", line, _NOBODYS).verdict > Verdict.ALLOW
    ):
        return False
    try:
        commands = [shlex.split(part) for part in _piped(line)]
    except ValueError:
        return False
    return all(words and _looks(words) for words in commands)


def _piped(line: str) -> list[str]:
    """The commands of a pipe. A bar within quotes makes halves that can't be read, or that aren't looks."""
    return line.split("|")


def _looks(words: list[str]) -> bool:
    program, rest = words[0], words[1:]
    if program == "ip" and not _CHANGES.isdisjoint(rest):
        return False
    if program == "tail" or program in _MORE:
        options = [word for word in rest if word.startswith("-")]
        if any(word.startswith("--") or set(word) & set(_MORE[program]) for word in options):
            return False
    if program in _PARTS:
        return bool(rest) and rest[0] in _PARTS[program]
    return program in _LOOKS or program == "tail" or (program in _BARE and not rest)
