"""Services, processes, schedules and the machine itself."""

import re
from collections.abc import Sequence

from execution.command_check.context import WILD, Context
from execution.command_check.paths import check_output, check_read
from execution.command_check.words import shown

#: Stopping or changing these takes away access, protection or evidence.
_GUARDS = re.compile(
    r"(sshd?|auditd|r?syslog(-ng)?|systemd-\w+|firewalld|iptables|ip6tables|nftables|ufw|network(-?manager)?|NetworkManager|networking|crond?|chronyd?|ntpd"
    r"|dbus|polkit|selinux\w*|apparmor|fail2ban|clamd?|falco|ossec|wazuh[\w-]*|aide|crowdstrike|falcon-sensor|sssd|v3\w*|ahnlab\w*)([@.].*)?"
)
_OURS = re.compile(
    r"(tomcat|nginx|httpd|apache|jeus|webtob|weblogic|jboss|wildfly|websphere|was|web|app|api|batch|php|redis|memcached|haproxy"
    r"|node|pm2|spring|scouter|filebeat|logstash|kibana|zabbix|varnish|portal|gunicorn|uwsgi|worker)"
)


#: Whatever stands before it: a fire wall, a database.
_OTHERS = re.compile(r"\w*(firewall|waf|vpn|\wsql|postgres\w*|oracle|tibero|altibase|cubrid|mongod?)|db")


def _is_ours(unit: str) -> bool:
    name = unit.removesuffix(".service")
    parts = re.split(r"[-_@]", name)
    return (
        re.fullmatch(r"[\w@:-]+", name) is not None
        and any(map(_OURS.match, parts))
        and not any(_GUARDS.fullmatch(part) or _OTHERS.fullmatch(part) for part in parts)
    )


def service_action(context: Context, action: str, units: Sequence[str]) -> None:
    """What is done to services, whatever program does it; without a name it may be done to all of them."""
    if not units:
        context.escalate(f"{action} of a service that isn't known: *")
    for unit in units:
        if re.search(r"\.(target|mount|swap)$", unit):
            verdict = context.block if action in ("isolate", "stop", "mask", "set-default") else context.escalate
            verdict(f"{action} of {shown(unit)}")
        elif _GUARDS.fullmatch(unit.removesuffix(".service")):
            verdict = (
                context.escalate if action in ("restart", "reload", "start", "enable", "try-restart") else context.block
            )
            verdict(f"{action} of {shown(unit)}, which guards the host")
        elif action == "stop" and unit in context.restarted and _is_ours(unit):
            continue
        elif action not in (
            "start",
            "restart",
            "reload",
            "try-restart",
            "reload-or-restart",
            "condrestart",
            "graceful",
        ):
            context.escalate(f"{action} of {shown(unit)}")
        elif not _is_ours(unit):
            context.escalate(f"{action} of a service that isn't known: {shown(unit)}")


_FINAL = frozenset(
    ["poweroff", "halt", "kexec", "emergency", "rescue", "exit", "soft-reboot", "suspend", "hibernate", "hybrid-sleep"]
)


_QUIET = frozenset(("--no-pager", "-q", "--quiet", "--now", "--no-block", "-l", "--no-ask-password"))


def systemctl(context: Context, argv: Sequence[str]) -> None:
    """What the table of subcommands doesn't know."""
    words = [word for word in argv[1:] if word not in _QUIET]
    action = words[0] if words else ""
    if action.startswith("-"):
        action = next((word for word in words if not word.startswith("-")), "")
        context.escalate(f"systemctl with {shown(words[0])}")
    if action in _FINAL or ("reboot" in words and len(words) > 1 and words[0].startswith("-")):
        context.block(f"systemctl {action}")
    elif action in (
        "start",
        "restart",
        "reload",
        "try-restart",
        "reload-or-restart",
        "stop",
        "disable",
        "enable",
        "mask",
        "unmask",
        "kill",
        "isolate",
        "reset-failed",
    ):
        for option in words[1:]:
            if option.startswith("-"):  # another host, another root, or a job that stops the others
                context.escalate(f"systemctl with {shown(option)}")
        service_action(context, action, [word for word in words[1:] if not word.startswith("-")])
    elif action in (
        "set-default",
        "link",
        "edit",
        "set-environment",
        "import-environment",
        "revert",
        "add-wants",
        "switch-root",
    ):
        context.block(f"systemctl {action}")
    else:
        context.escalate(f"systemctl {shown(action)}")


def service(context: Context, argv: Sequence[str]) -> None:
    """`service NAME ACTION`, and `/etc/init.d/NAME ACTION` brought into this form."""
    if argv[1:] == ["--status-all"]:
        return
    if len(argv) != 3:
        context.escalate("a service script with other arguments")
        return
    _service, unit, action = argv
    if not re.fullmatch(r"[\w@][\w@.-]*", unit):  # a path leads out of the folder of scripts
        context.block(f"runs a program out of {shown(unit)}")
    if action in ("status", "configtest"):
        return
    service_action(context, action, [unit])


_KILL = re.compile(r"-(?:s|n|-signal)?=?(?:SIG)?(\w+)$")


def kill(context: Context, argv: Sequence[str]) -> None:
    words, signal = list(argv[1:]), "TERM"
    if words[:1] == ["-l"] and not any(word.startswith("-") for word in words[1:]):
        return
    if words and words[0] in ("-s", "-n"):
        signal, words = (words[1] if len(words) > 1 else "?").removeprefix("SIG"), words[2:]
    elif words and words[0] != "--" and (match := _KILL.fullmatch(words[0])):
        signal, words = match[1], words[1:]
    targets = [word for word in words if word != "--"]
    if any(target in ("1", "-1", "0") or target.startswith("-") for target in targets) or not targets:
        context.block("signals init, or everything")
    elif signal in ("0", "3", "QUIT") and not any(WILD in target for target in targets):
        return
    else:
        context.escalate("ends a process")


def kill_by_name(context: Context, argv: Sequence[str]) -> None:
    words = [word for word in argv[1:] if not word.startswith("-")]
    vague = not words or any(
        word in ("java", "sshd", "systemd", "init", "root", "oracle", "postgres", ".", "bash", "") for word in words
    )
    (context.block if vague or "-u" in argv or "-U" in argv else context.escalate)("ends processes by their name")


def reboot(context: Context, argv: Sequence[str]) -> None:
    """A planned reboot can be approved; switching off can't."""
    words = set(argv[1:])
    if argv[0] == "shutdown" and "-c" in words:
        context.escalate("calls off a shutdown")
    elif (
        (
            argv[0] == "shutdown"
            and words & {"-r", "--reboot"}
            and not words & {"-h", "-H", "-P", "now", "-f", "-n", "+0"}
        )
        or (argv[0] == "init" and argv[1:] == ["6"])
        or (argv[0] == "reboot" and not words)
    ):
        context.escalate("reboots the host")
    else:
        context.block("stops the host")


def crontab(context: Context, argv: Sequence[str]) -> None:
    words = list(argv[1:])
    if words[:1] == ["-u"]:
        words = words[2:]
    if "-r" in words:
        context.block("removes a schedule")
    elif words == ["-"] or (not words and context.stdin.is_piped):
        context.block("sets a schedule out of a pipe")
    elif words not in (["-l"], ["-l", "-u", "tomcat"]) and words[:1] != ["-l"]:
        context.escalate("changes a schedule")


def dd(context: Context, argv: Sequence[str]) -> None:
    for word in argv[1:]:
        name, _equals, value = word.partition("=")
        if name == "of" and value != "/dev/null":
            check_output(context, value)
        if name == "if":
            check_read(context, value)
    context.escalate("copies raw bytes")


def _asked_of_ps(context: Context, value: str) -> None:
    if WILD in value:
        context.escalate("an argument that isn't known")
    elif "env" in value.lower():
        context.block("shows the environment of processes, with the passwords in it")


_PS = re.compile(r"-?[aAdefFgHjLlmMNnrsTuvwxXyZkZ]+|-?\d+")
#: `-Lp`, `-fu`: letters, and one that takes the next word.
_PS_CLUSTER = re.compile(r"-[aAdefFHjLlmMNTwyZ]+[opuUCgGtqkO]")
_PS_VALUED = frozenset(
    ("-o", "-p", "-u", "-U", "-C", "-g", "-G", "-t", "--pid", "--ppid", "--sort", "-O", "o", "-k", "-q", "--user")
)


def ps(context: Context, argv: Sequence[str]) -> None:
    """Everything but the environment of processes (a plain `e`)."""
    words = list(argv[1:])
    is_first = True
    while words:
        word = words.pop(0)
        if word in _PS_VALUED:
            _asked_of_ps(context, words.pop(0) if words else "")
        elif word in (
            "--no-headers",
            "--forest",
            "--no-heading",
            "--headers",
            "--deselect",
            "h",
            "f",
            "-eo",
            "-Ao",
            "axo",
            "-efo",
            "-axo",
            "-eLo",
            "aux",
            "-aux",
        ):
            if word.endswith("o"):
                _asked_of_ps(context, words.pop(0) if words else "")
        elif re.fullmatch(r"-\w*x\w*", word) and "e" in word:  # not of System V: read again without its dash
            context.block("shows the environment of processes, with the passwords in it")
        elif _PS_CLUSTER.fullmatch(word):
            _asked_of_ps(context, words.pop(0) if words else "")
        elif (
            word.startswith(("--sort=", "-o", "--format=", "--pid=", "--ppid=", "k"))
            or re.fullmatch(r"-?[\d,\x04]+", word)
            or (word.startswith("-") and _PS.fullmatch(word))
            or (is_first and re.fullmatch(r"[aAfglmnNruvwxXjT]+", word))
        ):
            _asked_of_ps(context, word)
        elif not word.startswith("-") and re.fullmatch(r"[a-zA-Z]*e[a-zA-Z]*", word):
            context.block("shows the environment of processes, with the passwords in it")
        elif not re.fullmatch(r"[afglmnruvwxjT]+", word):
            context.escalate(f"ps {shown(word)} isn't known here")
        is_first = False


def test(context: Context, argv: Sequence[str]) -> None:
    for word in argv[1:]:
        if word in ("-v", "-R") or ("$(" in word) or "`" in word:
            context.block("a test that may evaluate its operand")


_SET = frozenset(
    ("-e", "-u", "-x", "-eu", "-ex", "-euo", "-o", "pipefail", "errexit", "nounset", "+e", "+x", "-euxo", "-f")
)


def set_(context: Context, argv: Sequence[str]) -> None:
    if len(argv) == 1:
        context.escalate("shows all variables")
    elif not set(argv[1:]) <= _SET:
        context.block("changes how the shell works")


HANDLERS = {
    "systemctl": systemctl, "service": service, "kill": kill, "pkill": kill_by_name, "killall": kill_by_name, "skill": kill_by_name,
    "shutdown": reboot, "reboot": reboot, "init": reboot, "crontab": crontab, "dd": dd, "ps": ps,
    "test": test, "set": set_,
}  # fmt: skip
