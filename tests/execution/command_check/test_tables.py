"""The tables themselves: no row lets a verb through that nobody judged, and no look may carry anything else along."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings

from execution.command_check import do_asked
from execution.command_check.check import check_command
from execution.command_check.options import Spec
from execution.command_check.programs import HANDLERS
from execution.command_check.subcommands import _TABLE as _SUBCOMMANDS_TABLE
from execution.command_check.subcommands import SUBCOMMANDS
from execution.command_check.verbs import _TABLE as _VERBS_TABLE
from execution.command_check.verbs import VERBS
from execution.command_check.verdict import Verdict
from tests.execution.command_check.lines import lines_of

#: What a row of several words may end with, where words of any kind may follow.
_LOOKING_WORDS = """
    -a -display -nvv -state avail can-i cat check-update cluster_status critical-chain crs css config depends deplist describe diff display du
    elist explain faulty freeze get get-default has health help history images info inspect iostat is-active is-enabled is-failed
    is-system-running list list-dependencies list-jobs list-sessions list-sockets list-timers list-unit-files list-units list-users list_channels
    list-updates list_connections list_consumers list_queues lockdb logs lr ls lsct lsdg lsdsk lsop lu node nodes paramdump pid pod pods policy port print provides ps
    query repolist repos res resource cluster rev-parse ruleset table tables chain s search services session-status show show-addr show-aggr
    show-ether show-if show-link show-phys show-session show-user show-vlan show-vnic spacedb statdump statistics stats status summary tail top tranlist type
    user-status verify version view wait whoami
"""
_LOOKING = frozenset(_LOOKING_WORDS.split())
#: Of these, the word before is the verb.
_NOUNS = {
    "node": "top", "nodes": "top", "pod": "top", "pods": "top crictl", "cluster": "check", "crs": "check query", "css": "query", "has": "check", "res": "stat",
    "resource": "stat status", "ruleset": "list", "table": "list", "tables": "list", "chain": "list", "config": "fmadm", "database": "status config",
}  # fmt: skip
#: Programs of one word that only look, and whose operands are data: names, files, numbers, patterns.
_OF_DATA_WORDS = """
    : apropos arp arping basename db2level dirname entstat ethtool expr false fcstat getconf getlvcb groups host id iostat
    jinfo jstack jstackd jstat last lastb lastlog locate logger lparstat lppchk lsattr lscfg lscluster lsconf lsdev lsfs lsfware lsgroup lsitab lslicense
    lslogins lslpp lslv lsmcode lsmksysb lsmpio lsnfsexp lsnim lspath lsps lspv lsresource lsrole lsrpnode lssrc lsuser lsvg lsvpcfg metastat
    mlocate modinfo mpstat mtr mysqlcheck nethogs netstat nslookup numastat olsnodes pargs pfiles pflags pgrep pidof ping ping6 pkg_info pkginfo pldd plocate pmap print printf procfiles
    procstack procwdx proctree pstack pstree ptree pwdx quota shopt ss svcprop svcs svmon swlist tcptraceroute tnsping tput tr tracepath traceroute traceroute6
    tracert true type users w wait whatis whereis which who zipinfo
    aureport ausearch chage chkconfig dpkg dpkg-query getsebool ifconfig ip6tables iptables journalctl passwd
"""
_OF_DATA = frozenset(_OF_DATA_WORDS.split())
_ACTS_WORDS = """
    undo redo rollback add del delete remove rm set unset reset clear clean flush purge prune destroy stop start restart reload kill drop create
    disable enable mount unmount import export apply upgrade update install uninstall erase modify change replace append attach detach offline
    online promote demote switch move rename sync exec load save commit revert repair scrub trim halt shutdown makestep down up on off mask
    isolate edit drain cordon scale cp push tag login put patch enable-linger terminate-session set-time abort resume pause
"""
_ACTS = _ACTS_WORDS.split()
#: Starting anew is routine for our own services.
_ROUTINE = frozenset(f"{name} {act}" for name in ("apachectl", "apache2ctl") for act in ("start", "restart"))
_SAMPLES = {
    "n": "1", "r": "/app/logs/a.log", "R": "/app/logs", "m": "/app/logs", "w": "/app/tmp/a", "F": "+%F", "M": "ls", "N": "passwd", "K": "pods", "S": "vm.swappiness",
    "P": "/usr/bin/ls", "H": "localhost", "A": "app", "G": "HEAD", "U": "localhost", "I": "word", "C": "/etc/haproxy/haproxy.cfg", "T": "batch",
    "i": "{{.State.Status}}", "O": "wide", "E": "MainPID", "f": "info",
}  # fmt: skip


def _is_allowed(line: str) -> bool:
    return check_command("shell", line).verdict is Verdict.ALLOW


def _is_free(spec: Spec) -> bool:
    return any(kind[0] in "tlx" for kind in spec.operands)


def test_a_row_of_several_words_with_free_operands_ends_with_a_verb_that_looks() -> None:
    for words, spec in SUBCOMMANDS.items():
        if not _is_free(spec) or len(words) == 1:
            continue
        last, before = words[-1], words[-2]
        assert last in _LOOKING, words
        if last in _NOUNS:
            assert before in _NOUNS[last].split(), words


def test_a_program_of_one_word_with_free_operands_was_judged_by_someone() -> None:
    free = {name for name, spec in VERBS.items() if _is_free(spec)}
    free |= {words[0] for words, spec in SUBCOMMANDS.items() if len(words) == 1 and _is_free(spec)}
    assert free == _OF_DATA


def test_no_acting_verb_passes_in_the_place_of_a_looking_one() -> None:
    nouns = {words[:-1] for words in SUBCOMMANDS if len(words) > 1}
    nouns |= {words for words, spec in SUBCOMMANDS.items() if words[-1] not in _LOOKING and not spec.operands}
    lines = {f"{' '.join(words)} {act}{more}" for words in nouns for act in _ACTS for more in ("", " x1", " x1 x2")}
    known = {" ".join(words) for words in SUBCOMMANDS}
    allowed = {line for line in lines if line not in known and _is_allowed(line)}
    assert allowed <= _ROUTINE


def test_the_tables_have_no_doubled_and_no_dead_row() -> None:
    for table in (_VERBS_TABLE, _SUBCOMMANDS_TABLE):
        names = [name for row in table.strip().splitlines() for name in row.split("|")[0].split(",")]
        assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
    assert VERBS.keys() & HANDLERS.keys() == {"bc", "printf"}  # whose rules read their rows


def _needed(spec: Spec) -> str:
    for option in sorted(spec.needed):
        kind = spec.valued.get(option, spec.longs.get(option, ""))
        value = f" {_SAMPLES.get(kind[:1], 'a1')}" if kind else ""
        return f" -{'-' * (len(option) > 1)}{option}{value}"
    return ""


def _looks() -> Iterator[str]:
    """A look of each row, with as few words as it takes; and a routine line of each program."""
    for words, spec in [*(((name,), spec) for name, spec in VERBS.items()), *SUBCOMMANDS.items()]:
        operands = "".join(f" {_SAMPLES.get(kind[0], 'a1')}" for kind in spec.operands)
        yield f"{' '.join(words)}{_needed(spec)}{operands}"
    seen: set[str] = set()
    for batch in ("dev", *(f"held_{number}" for number in range(1, 9))):
        for kind, command in lines_of(f"routine_{batch}"):
            name = command.split()[0]
            if kind == "shell" and name not in seen and not command.endswith("&") and not {"\n", "#"} & set(command):
                seen.add(name)
                yield command


_ENDINGS = (
    "; rm -rf /x", " $(id>/x)", " `id>/x`", " > /etc/x", " >> /etc/x", " &> /etc/x", " 2>/etc/x", " | sh", " && reboot", " || reboot", " & reboot",
    " <(id>/x)", " > >(sh)", "\nreboot", " | tee /etc/x", " | xargs rm -f", " <<< $(id>/x)", ' "$(id>/x)"', " ${x:=`id>/x`}", " < /dev/tcp/10.0.0.9/80",
)  # fmt: skip
_BEGINNINGS = ("LD_PRELOAD=/x.so ", "BASH_ENV=/x ", "PATH=/tmp ", "env LD_PRELOAD=/x.so ", "> /etc/x ", "$(id>/x) ")
_LOOKS = sorted({line for line in _looks() if _is_allowed(line)})


def test_nearly_every_row_has_a_look_that_flows() -> None:
    assert len(_LOOKS) > 700


@pytest.mark.parametrize("ending", _ENDINGS)
def test_no_look_carries_something_behind_it(ending: str) -> None:
    assert [line for line in _LOOKS if _is_allowed(line + ending)] == []


@pytest.mark.parametrize("beginning", _BEGINNINGS)
def test_no_look_carries_something_before_it(beginning: str) -> None:
    assert [line for line in _LOOKS if _is_allowed(beginning + line)] == []


_FRAGMENTS = ["-a ", "-q x ", "-LDInfo -L0 ", "--query=a ", "/vd", "/bbuv", "a ", "show ", "-d 1/1 ", "-v "]
_ENDLESS = ["a " + "| a " * 4000, "sqlite3 app.db " + "'SELECT (1) ' " * 1000, "echo " + "$(a) " * 3000, "( " * 5000]


def test_no_line_takes_longer_than_it_is_long() -> None:
    """Whole seconds at most for what is quick if nothing in it is tried in all ways; else the process is ended."""
    script = (
        "import json, sys, django; django.setup()\n"
        "from execution.command_check.check import check_command\n"
        "for line in json.load(sys.stdin): assert check_command('shell', line).verdict > 0, line[:60]\n"
    )
    lines = [f"{name} {at}{part * 60}!" for name in do_asked.HANDLERS for at in ("", "/c0") for part in _FRAGMENTS]
    lines += [line[:16000] for line in _ENDLESS]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "guardia.settings",
        "GUARDIA_HOME": str(settings.GUARDIA_HOME),
    }
    subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(lines),
        text=True,
        check=True,
        env=environment,
        cwd=settings.BASE_DIR,
        timeout=60,
    )
