"""As whom the server runs: PostgreSQL refuses root, so root hands it to an unprivileged account."""

import os
import pwd
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from guardia.embedded.exceptions import EmbeddedError
from guardia.embedded.linux import die_with_parent

_UNPRIVILEGED = "nobody"  # initdb wants an account with a name, and this one is everywhere


@dataclass(frozen=True)
class Account:
    """The server's account. `switch` says that we are root and have to become it."""

    uid: int
    gid: int
    switch: bool

    def own(self, path: Path, mode: int = 0o700) -> None:
        """Give `path` to the account, closed for everybody else."""
        if self.switch:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)

    def enter(self, death_signal: signal.Signals) -> Callable[[], None]:
        """A `preexec_fn`: become the account for good, and die with the process that calls `enter`."""
        parent = os.getpid()

        def in_child() -> None:
            if self.switch:
                os.setgroups([])
                os.setgid(self.gid)
                os.setuid(self.uid)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            die_with_parent(death_signal, parent)

        return in_child


def server_account(data: Path) -> Account:
    """The owner of an existing cluster; for a new one ourselves, or `nobody` when we are root."""
    uid, gid = os.geteuid(), os.getegid()
    if data.exists():
        owner = data.stat()
        if uid not in (0, owner.st_uid):
            raise EmbeddedError(f"{data} belongs to uid {owner.st_uid}: run as that user or root, or use another home")
        if owner.st_uid == 0:
            raise EmbeddedError(f"{data} belongs to root, and PostgreSQL refuses root: give it to its former owner")
        return Account(owner.st_uid, owner.st_gid, switch=uid == 0)
    if uid != 0:
        return Account(uid, gid, switch=False)
    try:
        entry = pwd.getpwnam(_UNPRIVILEGED)
    except KeyError as error:
        raise EmbeddedError(f"PostgreSQL refuses root and there is no account {_UNPRIVILEGED!r} here") from error
    return Account(entry.pw_uid, entry.pw_gid, switch=True)
