"""Where the embedded database lives inside a home.

::

    home/keys/embedded-postgres.password   0600, the password of the role `guardia`
    home/postgres/data/                    the cluster, 0700, owned by the server's account
    home/postgres/run/                     its socket, 0700 (or a short folder in /tmp, see `socket_dir`)
    home/postgres/postgres.log             what the server and its guardian have to say
    home/postgres/state.json               present while the server is ready
    home/postgres/*.lock                   decision: starting or stopping; users: shared by all; guardian: it lives
"""

import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from guardia.embedded.exceptions import EmbeddedError

DATABASE = ROLE = "guardia"
SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_PATH_LIMIT = 107  # bytes in sockaddr_un on Linux, without the final zero


@dataclass(frozen=True)
class State:
    """What the guardian writes when the server is ready."""

    guardian: int
    postmaster: int


@dataclass(frozen=True)
class Layout:
    """The paths of one home. Build it with `Layout.of`, which makes the home's path absolute."""

    home: Path

    @classmethod
    def of(cls, home: Path) -> "Layout":
        return cls(home.resolve())

    @property
    def root(self) -> Path:
        return self.home / "postgres"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def log(self) -> Path:
        return self.root / "postgres.log"

    @property
    def decision_lock(self) -> Path:
        return self.root / "decision.lock"

    @property
    def users_lock(self) -> Path:
        return self.root / "users.lock"

    @property
    def guardian_lock(self) -> Path:
        return self.root / "guardian.lock"

    @property
    def password_file(self) -> Path:
        return self.home / "keys" / "embedded-postgres.password"

    @property
    def _state_file(self) -> Path:
        return self.root / "state.json"

    def prepare(self) -> None:
        """Create the folders that belong to whoever runs Guardia. The server's own are made by the guardian."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.password_file.parent.mkdir(mode=0o700, exist_ok=True)

    @property
    def socket_dir(self) -> Path:
        """The folder of the server's socket: in the home, unless that path is too long for a socket or for libpq.

        Then it is a folder in /tmp whose name can't be guessed before it exists (the password is part of the hash),
        so nobody can take it first; the guardian checks its owner all the same.
        """
        local = self.root / "run"
        # libpq reads a comma as the start of the next host
        if len(os.fsencode(local / SOCKET_NAME)) <= _SOCKET_PATH_LIMIT and "," not in str(local):
            return local
        digest = hashlib.sha256(os.fsencode(self.home) + b"\0" + self.password().encode()).hexdigest()
        return Path("/tmp") / f"guardia-{digest[:20]}"  # noqa: S108 (see above)

    def password(self) -> str:
        try:
            return self.password_file.read_text(encoding="ascii")
        except PermissionError as error:
            raise EmbeddedError(f"{self.password_file} belongs to somebody else; run as its owner") from error
        except FileNotFoundError as error:
            raise EmbeddedError(f"{self.password_file} doesn't exist; the database was never started") from error

    def create_password(self) -> str:
        return secrets.token_urlsafe(32)

    def save_password(self, password: str) -> None:
        partial = self.password_file.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(password)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(self.password_file)

    def url(self) -> str:
        """The address for psycopg and django-environ; it stays the same over restarts."""
        host = quote(str(self.socket_dir), safe="/")
        return f"postgres://{ROLE}:{quote(self.password(), safe='')}@/{DATABASE}?host={host}"

    def read_state(self) -> State | None:
        try:
            return State(**json.loads(self._state_file.read_text()))
        except FileNotFoundError:
            return None

    def write_state(self, state: State) -> None:
        partial = self._state_file.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(state)))
        partial.rename(self._state_file)

    def clear_state(self) -> None:
        self._state_file.unlink(missing_ok=True)
