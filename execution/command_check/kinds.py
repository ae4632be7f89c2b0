"""Kinds of operands that only some programs have, for the tables of verbs and subcommands (letters as there)."""

import re
from collections.abc import Callable

from execution.command_check.context import UNKNOWN, Context, is_static
from execution.command_check.hosts import check_database, check_host, check_name, check_servers
from execution.command_check.paths import absolute, check_read, in_app
from execution.command_check.words import shown

_SECRET_KINDS = re.compile(r"secrets?|configmaps?|cm|all|serviceaccounts?|sa", re.IGNORECASE)


def _resource(context: Context, value: str) -> None:
    if any(_SECRET_KINDS.fullmatch(re.split(r"[./]", part)[0]) for part in value.split(",")):
        context.block(f"shows {shown(value)}")


def _listed_resource(context: Context, value: str) -> None:
    """Of `get`, which lists names and states: “all” holds no secrets there."""
    if value != "all":
        _resource(context, value)


def _delay(context: Context, value: str) -> None:
    """Between two packets: without one they are a flood."""
    if not re.fullmatch(r"0\.[2-9]\d*|[1-9]\d*(\.\d+)?", value):
        context.escalate("a flood of packets")


def _kernel_setting(context: Context, value: str) -> None:
    if "=" in value:
        context.block("sets a value of the kernel")


def _state_of_container(context: Context, value: str) -> None:
    if not re.fullmatch(
        r"(\s*\{\{\s*\.(State|RestartCount|NetworkSettings|Mounts|Image|Created|Name|Id|LogPath)[\w.]*\s*\}\}\s*)+",
        value,
    ):
        context.escalate("shows settings of a container, with the passwords in them")


#: Of a resource of Kubernetes: the fields that tell how it is, and hold nothing of its settings.
_STATE = frozenset(
    """name namespace phase replicas readyReplicas availableReplicas updatedReplicas unavailableReplicas currentReplicas desiredReplicas restartCount
    ready image nodeName podIP hostIP clusterIP type status reason ip hostname creationTimestamp startTime startedAt finishedAt exitCode cpu memory
    storage capacity allocatable kubeletVersion osImage kernelVersion port targetPort nodePort host path schedule suspend lastScheduleTime
    lastTransitionTime minReplicas maxReplicas uid generation observedGeneration kind succeeded failed active""".split()
)


def _asks_for_state(value: str) -> bool:
    form, _equals, asked = value.partition("=")
    fields = re.sub(r"\brange [^{}]*|'[^']*'|\"[^\"]*\"", "", asked)
    if form not in ("jsonpath", "custom-columns") or not is_static(asked.replace("\x01", "*").replace("\x03", "[")):
        return False
    leaves = re.findall(
        r"\.(\w*)(?![\w.\[\x03])", re.sub(r"\[[\d*:,\x01-]*\](?=[^.\[]|$)", "", fields.replace("\x03", "["))
    )
    return (
        bool(leaves) and ".." not in fields and not re.search(r"[@$](?!\.)|\.[*\x01]", fields) and set(leaves) <= _STATE
    )


def _output_format(context: Context, value: str) -> None:
    if value not in ("wide", "name") and not _asks_for_state(value):
        context.escalate("shows everything of a resource, with the settings in it")


def _names_database(context: Context, value: str) -> None:
    """Of `getent`: `shadow` and `gshadow` hold what passwords become."""
    if value not in _NAMES:
        context.block(f"reads a secret: {shown(value)}")


_NAMES = frozenset(
    (
        "passwd",
        "group",
        "hosts",
        "ahosts",
        "ahostsv4",
        "ahostsv6",
        "networks",
        "services",
        "protocols",
        "rpc",
        "netgroup",
    )
)


def _revision(context: Context, value: str) -> None:
    """Of `git show`: `HEAD:conf/app.yml` and a path show what is, or was, in the file."""
    if not UNKNOWN.isdisjoint(value):
        context.escalate("an argument that isn't known")
    check_read(context, value.rpartition(":")[2] or ".")


def _property(context: Context, value: str) -> None:
    """Of a unit of systemd: the environment is where services get their passwords."""
    if re.search(r"env|cred|pass", value, re.IGNORECASE):
        context.block("shows the environment of processes, with the passwords in it")


def _name_of_host(context: Context, value: str) -> None:
    check_name(context, value)


def _address(context: Context, value: str) -> None:
    check_host(context, value.rsplit(":", 1)[0])


def _program_of_system(context: Context, value: str) -> None:
    """Of `ldd`: it starts what it is asked about."""
    if not re.match(r"/(usr/(local/)?)?(s?bin|lib\w*)/", absolute(context, value)):
        context.escalate(f"a program that isn't known: {shown(value)}")


_FACILITY = re.compile(r"((local[0-7]|user|daemon|cron)\.)?(debug|info|notice|warn(ing)?|err(or)?)")
_SPEAKS = re.compile(r"sshd?|su(do)?|login|passwd|user\w*|group\w*|kernel|audit\w*|systemd.*|cron\w*|pam\w*|polkit\w*")


def _page(context: Context, value: str) -> None:
    """Of `man`: a name with a slash is a file, which would be shown."""
    if not re.fullmatch(r"[\w.+:@\[-]+", value):
        context.escalate(f"not a name: {shown(value)}")


def _facility(context: Context, value: str) -> None:
    if not _FACILITY.fullmatch(value):
        context.escalate("writes into the log in the name of the system")


def _log_tag(context: Context, value: str) -> None:
    if _SPEAKS.match(value.lower()) or not UNKNOWN.isdisjoint(value):
        context.escalate("writes into the log in the name of the system")


def _configuration(context: Context, value: str) -> None:
    """Of a check of settings that loads what they name: those of the system, or of the application."""
    path = absolute(context, value)
    if not path.startswith("/etc/") and not in_app(context, path):
        context.escalate(f"runs a program out of {shown(path)}")
    check_read(context, value)


KINDS_OF_PROGRAMS: dict[str, Callable[[Context, str], None]] = {
    "A": check_database,
    "C": _configuration,
    "E": _property,
    "G": _revision,
    "H": check_servers,
    "K": _resource,
    "M": _page,
    "N": _names_database,
    "O": _output_format,
    "P": _program_of_system,
    "S": _kernel_setting,
    "T": _log_tag,
    "U": _address,
    "d": _delay,
    "f": _facility,
    "h": _name_of_host,
    "i": _state_of_container,
    "k": _listed_resource,
}
