"""Keys that live under GUARDIA_HOME/keys, outside the database: made once, readable by their owner only."""

import contextlib
import os
import secrets
from pathlib import Path


def secret_from_home(home: Path, name: str, given: str = "") -> str:
    """The secret `name`: the `given` one, or the one in the home's key folder, made there at first use."""
    if given:
        return given
    folder = home / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        # Written aside and linked: two processes that start at once agree on one secret.
        draft = folder / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # somebody was first: theirs counts
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text().strip()
