"""One PostgreSQL cluster: made by initdb, run by postgres, always with its data folder as the working directory.

The server gets `/proc/self/cwd` as its data folder and a socket folder relative to it. So it never walks the path
from `/`, and its account needn't be able to: a home below /root or a `mktemp -d` works without opening any parent.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from guardia.embedded.account import Account
from guardia.embedded.binaries import Binaries
from guardia.embedded.exceptions import EmbeddedError
from guardia.embedded.layout import DATABASE, ROLE, SOCKET_NAME, Layout
from guardia.embedded.linux import processes_at_work_in

_HERE = "/proc/self/cwd"
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}  # none of our secrets
_INITDB_TIMEOUT = 120.0  # seconds; it takes half a second on a healthy disk
_OWN_ROLE_ONLY = f"local all {ROLE} scram-sha-256\nlocal all all reject\n"
_LOCALE = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0777",  # its folder is 0700 and the password is asked for
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "fsync": "on",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # values of rows may be secrets, so neither statements nor details of failures reach the log
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "cluster_name": "guardia",
}


@dataclass(frozen=True)
class Cluster:
    layout: Layout
    binaries: Binaries
    account: Account

    def prepare(self) -> None:
        """Create the cluster with its role and database, or do nothing. Interrupted half-way, it begins again."""
        if self.layout.data.exists():
            if not self.layout.password_file.exists():
                self._set_password()
        else:
            self._create()
        if self.account.switch:
            self.layout.root.chmod(0o711)  # the server enters `run` through it
        self._prepare_socket_dir()

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the server as our child. It shuts down (fast, cleanly) when we die."""
        socket_dir = "../run" if self.layout.socket_dir.parent == self.layout.root else str(self.layout.socket_dir)
        settings = _SETTINGS | {"unix_socket_directories": socket_dir}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return subprocess.Popen(  # noqa: S603 (our own binary)
            [self.binaries.postgres, "-D", _HERE, *options],
            cwd=self.layout.data,
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            preexec_fn=self.account.enter(signal.SIGINT),
            start_new_session=True,
        )

    def is_ready(self, postmaster: int) -> bool:
        """Whether this postmaster accepts connections, by what it writes into its pid file (as pg_ctl does)."""
        lines = read_postmaster_file(self.layout.data)
        return len(lines) >= 8 and lines[0] == str(postmaster) and lines[7].strip() == "ready"

    def remove_socket_dir(self) -> None:
        """Tidy the folder in /tmp away, if there is one; the server removes its socket itself."""
        folder = self.layout.socket_dir
        if folder.parent != self.layout.root:
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(folder)

    def _create(self) -> None:
        fresh = self.layout.root / "data.new"
        if fresh.exists():
            shutil.rmtree(fresh)
        fresh.mkdir()
        self.account.own(fresh)
        reject = ("--auth-local=reject", "--auth-host=reject")
        self._run([self.binaries.initdb, "-D", _HERE, "-U", "postgres", *reject, *_LOCALE], fresh)
        (fresh / "pg_hba.conf").write_text(_OWN_ROLE_ONLY)
        password = self.layout.password() if self.layout.password_file.exists() else self.layout.create_password()
        # not a superuser: what protects the audit chain must hold against the portal's own role
        self._single_user(
            fresh,
            f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{password}';",
            f"CREATE DATABASE {DATABASE} OWNER {ROLE};",
        )
        self.layout.save_password(password)
        fresh.rename(self.layout.data)

    def _set_password(self) -> None:
        password = self.layout.create_password()
        self._single_user(self.layout.data, f"ALTER ROLE {ROLE} PASSWORD '{password}';")
        self.layout.save_password(password)

    def _single_user(self, data: Path, *statements: str) -> None:
        """Run statements without a server, hence without a password of the superuser that could leak."""
        quiet = ("-c", "log_min_error_statement=panic", "-c", "exit_on_error=true", "-c", "log_min_messages=error")
        command: list[Path | str] = [self.binaries.postgres, "--single", "-D", _HERE, *quiet, "postgres"]
        self._run(command, data, "\n".join(statements) + "\n")

    def _run(self, command: Sequence[Path | str], cwd: Path, text: str = "") -> None:
        done = subprocess.run(  # noqa: S603 (our own binaries)
            command,
            cwd=cwd,
            env=_ENVIRONMENT,
            input=text.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=self.account.enter(signal.SIGKILL),
            timeout=_INITDB_TIMEOUT,
            check=False,
        )
        if done.returncode != 0 or b"ERROR:" in done.stdout:
            raise EmbeddedError(f"{Path(command[0]).name} failed: {done.stdout.decode(errors='replace').strip()}")

    def _prepare_socket_dir(self) -> None:
        folder = self.layout.socket_dir
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            found = folder.lstat()
            private = found.st_uid == self.account.uid and (found.st_mode & 0o170777) == 0o040700
            if not private:
                raise EmbeddedError(f"{folder} isn't a private folder of uid {self.account.uid}; remove it") from None
        else:
            self.account.own(folder)


def read_postmaster_file(data: Path) -> list[str]:
    """The lines of `postmaster.pid`; empty when no server runs (or ran and was killed)."""
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def clear_remains(layout: Layout, patience: float) -> None:
    """Wait until no process of a former server is left. After `patience` seconds they are told to quit, then killed.

    Its lock files go too: PostgreSQL would believe a number that is a zombie's (nobody reaps in many containers) or
    somebody else's by now. We know better, as we looked for the processes themselves.
    """
    data = layout.data
    start = time.monotonic()
    told: set[tuple[int, signal.Signals]] = set()
    while remains := processes_at_work_in(data, "postgres"):
        waited = time.monotonic() - start
        if waited > patience + 15:
            raise EmbeddedError(f"server processes of {data} don't die: {remains}")
        if waited > patience:
            harshest = signal.SIGQUIT if waited < patience + 3 else signal.SIGKILL
            for pid in remains:
                if (pid, harshest) not in told:
                    told.add((pid, harshest))
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, harshest)
        time.sleep(0.02)
    (data / "postmaster.pid").unlink(missing_ok=True)
    if layout.password_file.exists():
        for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
            (layout.socket_dir / name).unlink(missing_ok=True)
