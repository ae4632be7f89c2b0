"""Which SSH server the hosts run: OpenSSH's where it can log this user in, asyncssh's otherwise."""

import os
import pwd
import shutil
from pathlib import Path
from typing import Literal

from demo.fleet.errors import FleetError
from demo.fleet.tree import HostTree

BackendName = Literal["openssh", "asyncssh"]
BackendChoice = Literal["auto", "openssh", "asyncssh"]
_SHADOW = Path("/etc/shadow")


def find_sshd() -> str | None:
    """The path of OpenSSH's server, or None. It refuses to start by a relative one."""
    return shutil.which("sshd") or shutil.which("/usr/sbin/sshd")


def choose_backend(choice: BackendChoice) -> BackendName:
    """Resolve `auto`; raises FleetError when the one asked for can't work here."""
    if choice == "asyncssh":
        return "asyncssh"
    obstacle = _obstacle_to_openssh()
    if obstacle is None:
        return "openssh"
    if choice == "openssh":
        raise FleetError(f"OpenSSH's server can't be used: {obstacle}")
    return "asyncssh"


def login_account(tree: HostTree, backend: BackendName) -> str:
    """The user to log in as: sshd knows only the accounts of this machine, so it is the one we run as."""
    return pwd.getpwuid(os.getuid()).pw_name if backend == "openssh" else tree.account


def _obstacle_to_openssh() -> str | None:
    if find_sshd() is None:
        return "it is not installed"
    try:
        user = pwd.getpwuid(os.getuid())
    except KeyError:
        return f"uid {os.getuid()} has no account"
    if not os.access(user.pw_shell or "/bin/sh", os.X_OK) or user.pw_shell.endswith(("nologin", "/false")):
        return f"account {user.pw_name} has no login shell"
    if os.getuid() == 0 and _is_locked(user.pw_name):
        return f"account {user.pw_name} is locked"
    return None


def _is_locked(account: str) -> bool:
    """Whether sshd, as root and without PAM, would refuse the account: a password field that begins with `!`."""
    if not _SHADOW.exists():
        return False
    rows = (line.split(":") for line in _SHADOW.read_text(encoding="utf-8").splitlines())
    return any(row[0] == account and row[1].startswith("!") for row in rows)
