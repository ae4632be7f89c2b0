"""Which database this process uses: the one that GUARDIA_DATABASE_URL names, or the embedded one, held while we live.

Called from the settings, the one thing that every door loads: web, worker, command and test. The kernel lets go of
the lease when the process dies, however it dies.
"""

import atexit
from pathlib import Path

from guardia.embedded.postgres import EmbeddedPostgres, Lease

_leases: dict[Path, Lease] = {}


def database_url(home: Path, named: str) -> str:
    """The named URL, or that of the home's embedded PostgreSQL, started if it isn't running."""
    if named:
        return named
    if home not in _leases:
        _leases[home] = EmbeddedPostgres(home).ensure_running()
        atexit.register(_leases[home].release)
    return _leases[home].url


def revive_database() -> None:
    """Start the embedded server again if it was killed; nothing to do for a named database."""
    for lease in _leases.values():
        lease.revive()
