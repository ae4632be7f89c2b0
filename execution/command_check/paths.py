"""Where a line reads and writes. A path is a resolved word, so it may hold the stand-ins of `context`."""

import posixpath
import re

from execution.command_check.context import CLASS, GLOBS, QUERY, STAR, TAME, TILDE, WILD, Context
from execution.command_check.secret_names import is_guarded_name, is_memory_name, is_raw_name, is_secret_name
from execution.command_check.words import shown

_I = re.IGNORECASE
_TARGETS = (
    "/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/root/.ssh/id_rsa", "/proc/self/environ", "/proc/1/environ",
    "/proc/1/mem", "/dev/mem", "/dev/sda", "/dev/vda", "/dev/nvme0n1", "/etc/ssl/private/server.key",
    "/home/x/.ssh/id_rsa", "/app/conf/server.key", "/app/.env", "/etc/passwd", "/bin/rm",
)  # fmt: skip
_QUIET_DEVICES = frozenset(("/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/tty"))
_PROC = re.compile(
    r"/proc/(?:[^/]+/(?:status|limits|stat|statm|io|sched|schedstat|cmdline|comm|mounts|mountinfo|smaps_rollup|oom_score"
    r"|net/\w+|fd|task)|(?!keys|key-users|kallsyms|kmsg|kpage\w*|iomem|sched_debug)\w+|(?:sys|net|driver|fs|irq|scsi|bus|tty|pressure|sysvipc|acpi)/[\w./-]+)"
)
_CODE = re.compile(
    r"\.(sh|bash|ksh|csh|pl|py|rb|php\d?|phtml|jsp|jspx|jspf|asp|aspx|ashx|so|class|cgi|service|timer|desktop)$", _I
)
_PLAIN_OUTPUT = re.compile(
    r"\.(txt|log|out|csv|tsv|lst|list|tmp|json|md|html|trc|stat|dat|rpt|\d{4,14}|gz|zip|tgz|bz2|xz|tar)$", _I
)
_RUN_DIRS = frozenset(("bin", "sbin", "scripts", "script", "lib", "libs", "jobs", "cron", "hooks", "init.d"))
_KEEP_DIRS = frozenset(
    ("conf", "config", "cfg", "data", "db", "pgdata", "upload", "uploads", "keys", "cert", "certs", "ssl")
)
_SETTINGS_DIRS = frozenset(("conf", "config", "keys", "cert", "certs", "ssl"))
_SERVED_DIRS = frozenset(("webapps", "htdocs", "www", "html", "static", "public", "public_html", "web"))
_BACKUP_NAME = re.compile(r"[._-](bak|backup|orig|old|org|save|prev|\d{6,14}|\x04)[\w.\x04-]*$", _I)


def absolute(context: Context, path: str) -> str:
    """The path from the root; relative ones from where the line stands ("./…" where that is the application)."""
    if path.startswith(TILDE):
        return path
    if not path.startswith("/"):
        path = f"{context.cwd}/{path}" if context.cwd else f"./{path}"
    normal = posixpath.normpath(path)
    normal = re.sub(r"^/+", "/", normal)
    match = re.match(r"/proc/(self|[^/]+)/(root|cwd)(/.*)", normal)
    return match[3] if match else normal


def in_app(context: Context, path: str) -> bool:
    return _is_below(path, context.surroundings.app) or _stays(path)


def in_backup(context: Context, path: str) -> bool:
    return _is_below(path, context.surroundings.backup)


def _stays(path: str) -> bool:
    """Relative, and never out of the directory where the line starts."""
    return not path.startswith(("/", "..", TILDE))


def _is_below(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == root or path.startswith(root + "/") for root in roots)


def _is_unsure(path: str) -> bool:
    """An unknown part may lead anywhere, a tame one to any file of its folder; a pattern on a dot matches “..”."""
    is_named = re.match(r"/(var/log|proc|sys|data|opt|srv|tmp|app\w*|backup\w*)/", path) or not path.startswith("/")
    return (
        WILD in path
        or any(f"/.{glob}" in path for glob in GLOBS)
        or (TAME in path and not is_named)
        or not GLOBS.isdisjoint(path.split("/")[1] if path.startswith("/") else "")
    )


def _reaches(path: str) -> bool:
    """Whether a pattern in the path can mean a secret or a system file."""
    if GLOBS.isdisjoint(path):
        return False
    first = min(path.index(glob) for glob in GLOBS if glob in path)
    if not any(target.startswith(path[:first]) for target in _TARGETS):
        return False
    parts = ["[^/]*" if s == STAR else "[^/]" if s == QUERY else "[^/]+" if s == CLASS else re.escape(s) for s in path]
    pattern = re.compile("".join(parts) + r"(/.*)?")
    return any(pattern.fullmatch(target) for target in _TARGETS)


def is_secret(path: str) -> bool:
    return is_secret_name(path) or (path.startswith(TILDE) and is_secret_name("/x" + path[1:]))


def is_device(path: str) -> bool:
    return path.startswith("/dev/") and path not in _QUIET_DEVICES


def check_read(context: Context, word: str, *, whole: bool = True) -> None:
    """Its content is shown. `whole=False`: only the lines that were asked for by a fixed text."""
    path = absolute(context, word)
    if is_secret(path):
        context.block(f"reads a secret: {shown(path)}")
    elif is_device(path):
        context.block(f"reads a device: {shown(path)}")
    elif _reaches(path):
        context.block(f"a pattern that reaches secrets: {shown(path)}")
    elif _is_unsure(path):
        context.escalate("reads a file whose name isn't known")
    elif is_memory_name(path):
        context.block(f"shows the memory of a process: {shown(path)}")
    elif is_raw_name(path):
        context.escalate(f"shows the files of a database: {shown(path)}")
    elif whole and is_guarded_name(path):
        context.escalate(f"shows settings that may hold passwords: {shown(path)}")
    elif path.startswith("/proc/") and not _PROC.fullmatch(path):
        context.escalate(f"reads {shown(path)}")
    elif not path.startswith("..") and (in_app(context, path) or in_backup(context, path)):
        return
    elif path.startswith((TILDE, "/root", "/home")) or path in ("/", "/etc", "/root", "/home") or path[:2] == "..":
        context.escalate(f"reads outside of the application: {shown(path)}")
    elif (
        path.startswith("/etc/")
        and not GLOBS.isdisjoint(path)
        and not re.search(r"release|nginx|httpd|apache|cron", path)
    ):
        context.escalate(f"reads many system files: {shown(path)}")


def check_tree(context: Context, word: str) -> None:
    """Everything below is shown."""
    path = absolute(context, word)
    if path in ("/", "/etc", "/proc", "/dev", "/var", "/usr", "/sys") or path.startswith(
        ("/etc", "/proc", "/dev", TILDE)
    ):
        context.block(f"reads all of {shown(path)}")
    else:
        check_read(context, word)
        if set(path.split("/")) & _SETTINGS_DIRS:
            context.escalate(f"reads all settings in {shown(path)}")


def check_found(context: Context, root: str) -> None:
    """Files below `root` are shown whose names nobody knows."""
    path = absolute(context, root)
    if (
        path == "/"
        or path.startswith(("/etc", "/root", "/home", "/proc", "/dev", "/var/lib", TILDE))
        or is_secret(path)
    ):
        context.block(f"shows files of {shown(path)}")
    elif (
        _is_unsure(path)
        or not (in_app(context, path) or in_backup(context, path) or path.startswith("/var/log"))
        or set(path.split("/")) & _SETTINGS_DIRS
        or is_guarded_name(path)
    ):
        context.escalate(f"shows files of {shown(path)}")


def zone_of(context: Context, word: str) -> tuple[str, str]:
    """(zone, path) of something to be written: "app", "run", "keep", "served", "backup", "tmp", "quiet", "else"."""
    path = absolute(context, word)
    if path in _QUIET_DEVICES:
        return "quiet", path
    if _is_unsure(path):
        return "else", path
    if in_backup(context, path):
        return "backup", path
    if not in_app(context, path):
        return ("tmp" if path.startswith(("/tmp/", "/var/tmp/")) else "else"), path
    folders = set(path.split("/")[1:-1] if path.startswith("/") else path.split("/")[:-1])
    if folders & _RUN_DIRS or _CODE.search(path):
        return "run", path
    if folders & _SERVED_DIRS:
        return "served", path
    if folders & _KEEP_DIRS or is_secret(path):
        return "keep", path
    return "app", path


def check_output(context: Context, word: str, *, is_trivial: bool = False) -> None:
    """The output of a command goes there. `is_trivial`: nothing much is written, so that the file is emptied."""
    zone, path = zone_of(context, word)
    if zone == "quiet":
        return
    if zone == "else":
        _outside(context, path)
    elif zone == "run" or _CODE.search(path):
        context.block(f"writes a program: {shown(path)}")
    elif is_secret(path):
        context.block(f"writes a secret: {shown(path)}")
    elif zone == "served":
        context.escalate(f"writes into what is served: {shown(path)}")
    elif zone == "keep":
        context.escalate(f"writes into {shown(path)}")
    elif is_trivial and re.search(r"\.(log|out)$", path):
        context.escalate(f"empties a log: {shown(path)}")
    elif not _PLAIN_OUTPUT.search(path) and not _BACKUP_NAME.search(path):
        context.escalate(f"writes {shown(path)}")


def _outside(context: Context, path: str) -> None:
    if WILD in path:
        context.escalate("writes to a file whose name isn't known")
    elif path.startswith(("/opt", "/srv", "/data", "/home", "..")) and not is_secret(path) and "/." not in path:
        context.escalate(f"writes outside of the application: {shown(path)}")
    else:
        context.block(f"writes to the system: {shown(path)}")


def check_change(context: Context, word: str, *, what: str) -> None:
    """A file is put, renamed or marked there by name: inside the application's plain directories it is routine."""
    zone, path = zone_of(context, word)
    if zone in ("app", "backup", "quiet") or (zone == "tmp" and not _CODE.search(path)):
        return
    if zone == "else":
        if path.startswith(
            ("/etc/nginx", "/etc/httpd", "/etc/apache2", "/etc/haproxy", "/etc/tomcat", "/etc/logrotate.d")
        ):
            context.escalate(f"{what} system settings: {shown(path)}")
        else:
            _outside(context, path)
    elif (zone == "keep" and _BACKUP_NAME.search(path)) or (zone == "served" and not _CODE.search(path)):
        return
    elif _CODE.search(path) and set(path.split("/")) & _SERVED_DIRS:
        context.block(f"{what} a program into what is served: {shown(path)}")
    else:
        context.escalate(f"{what} {shown(path)}")
