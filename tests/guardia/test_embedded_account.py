"""As whom the server runs, whom it lets in, and where its binaries come from when it can't reach the wheel."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from guardia.embedded import binaries
from guardia.embedded.account import Account, server_account
from guardia.embedded.exceptions import EmbeddedError
from guardia.embedded.postgres import EmbeddedPostgres

REPOSITORY = Path(__file__).resolve().parents[2]
START = """
import pathlib, sys
from guardia.embedded.postgres import EmbeddedPostgres
EmbeddedPostgres(pathlib.Path(sys.argv[1])).ensure_running().release()
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")


@pytest.fixture
def nobody() -> Account:
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid, switch=True)


def run_as(account: Account, python: str, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-c", code, *arguments],
        env={"PYTHONPATH": f"{REPOSITORY}:{binaries._site_packages()}"},
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        cwd="/",
    )


def python_for(account: Account) -> str:
    """A Python that the account can run: ours may live in root's home, the system's doesn't."""
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            if run_as(account, python, "import importlib.util, guardia.embedded.postgres").returncode == 0:
                return python
        except (PermissionError, FileNotFoundError):
            continue
    pytest.skip("this checkout is closed to other accounts")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody can enter (pytest's own are closed)."""
    path = Path(tempfile.mkdtemp(prefix="guardia-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@as_root
@pytest.mark.parametrize("home_is_open", [True, False])
def test_an_unreachable_wheel_is_copied_once_to_where_it_can_be_run(
    folder: Path, nobody: Account, monkeypatch: pytest.MonkeyPatch, home_is_open: bool
) -> None:
    closed, home, cache = (folder / name for name in ("closed", "home", "cache"))
    closed.mkdir(mode=0o700)
    home.mkdir(mode=0o755 if home_is_open else 0o700)
    (closed / "site").symlink_to(binaries._site_packages())
    monkeypatch.setattr(binaries, "_site_packages", lambda: closed / "site")
    monkeypatch.setattr(binaries, "_CACHE", cache)

    found = binaries.find_binaries(nobody, home / "postgres")

    assert found.postgres.is_relative_to(home / "postgres" if home_is_open else cache)
    made = found.postgres.stat().st_ino
    assert binaries.find_binaries(nobody, home / "postgres").postgres.stat().st_ino == made
    assert list(found.bin.parents[3].iterdir()) == [found.bin.parents[2]], "no partial copy is left"


@as_root
def test_root_serves_the_home_of_a_user_as_that_user(folder: Path, nobody: Account) -> None:
    home = folder / "home"
    home.mkdir()
    os.chown(home, nobody.uid, nobody.gid)
    started = run_as(nobody, python_for(nobody), START, str(home))
    assert (started.returncode, started.stderr) == (0, "")

    with EmbeddedPostgres(home).ensure_running() as lease, psycopg.connect(lease.url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("guardia",)
        assert (home / "postgres/data").stat().st_uid == nobody.uid


@as_root
def test_a_cluster_that_root_owns_is_refused(folder: Path) -> None:
    with pytest.raises(EmbeddedError, match="belongs to root"):
        server_account(folder)


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(binaries, "_PACKAGE", "no_such_package_here")

    with pytest.raises(EmbeddedError, match="isn't installed"):
        binaries.find_binaries(Account(os.geteuid(), os.getegid(), switch=False), folder)


@pytest.mark.parametrize("login", ["guardia:wrong", "postgres:", "postgres:postgres", "nobody:"])
def test_nobody_else_gets_in(shared_home: Path, login: str) -> None:
    address = EmbeddedPostgres(shared_home).url.partition("@")[2]

    with pytest.raises(psycopg.OperationalError, match=r"authentication failed|rejects connection|no password"):
        psycopg.connect(f"postgres://{login}@{address}")


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="guardia-test-"))
    with EmbeddedPostgres(home).ensure_running():
        yield home
    shutil.rmtree(home)
