"""What is installed is what was locked: every requirement is pinned and hashed, and another file is refused."""

import base64
import hashlib
import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
_PINNED = re.compile(r"([a-z0-9][a-z0-9._-]*)(?:\[[a-z0-9,_-]+\])?==([^\s;\\]+)(?: ; [^\\]+)?", re.IGNORECASE)
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def requirements(lock: Path) -> list[str]:
    """One text per requirement, its hashes with it."""
    lines = [line.partition(" #")[0].strip() for line in lock.read_text(encoding="utf-8").splitlines()]
    text = "\n".join(line for line in lines if line and not line.startswith("#"))
    return text.replace("\\\n", " ").splitlines()


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_pinned_and_hashed(lock: Path) -> None:
    found = requirements(lock)
    assert len(found) >= 5
    for requirement in found:
        first, *hashes = re.split(r"\s+(?=--)", requirement.strip())
        assert _PINNED.fullmatch(first.strip()), first
        assert hashes and all(_HASH.fullmatch(one) for one in hashes), requirement[:80]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_lock_says_where_to_fetch_from(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    elsewhere = r"https?:|git\+|file:|--(extra-)?index-url|--find-links|--trusted-host|^-[efir]\b| @ "
    assert not re.search(elsewhere, text, re.MULTILINE)


def test_what_the_project_asks_for_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = {
        "requirements.lock": [*project["dependencies"], *extras["redis"], *extras["demo"]],
        "requirements-dev.lock": [*project["dependencies"], *extras["dev"]],
        "requirements-ldap.lock": extras["ldap"],
    }
    assert set(asked) == {lock.name for lock in LOCKS}
    for name, wanted in asked.items():
        locked = {normal(re.split(r"[\[=]", line, maxsplit=1)[0]) for line in requirements(ROOT / name)}
        assert {normal(re.split(r"[\[<>=~; ]", one, maxsplit=1)[0]) for one in wanted} <= locked, name


def wheel(folder: Path, content: str) -> Path:
    """A package of one module."""
    path, info = folder / "harmless-1.0-py3-none-any.whl", "harmless-1.0.dist-info"
    files = {
        "harmless.py": content,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: harmless\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},{len(text)}"
        for name, text in files.items()
    ]
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"}.items():
            archive.writestr(zipfile.ZipInfo(name), text)  # without the time of day
    return path


def set_up(folder: Path, lock: str) -> subprocess.CompletedProcess[str]:
    """The set-up as `make setup` calls it, in an empty environment, with the folder as the only place to fetch from."""
    (folder / "the.lock").write_text(lock, encoding="utf-8")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PIP_")},
        "PYTHON": sys.executable,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_CONFIG_FILE": os.devnull,
    }
    script = ["bash", str(ROOT / "tools" / "setup.sh"), "the.lock"]
    return subprocess.run(script, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_another_file_than_the_locked_one_is_not_installed(tmp_path: Path) -> None:
    venv.create(tmp_path / ".venv", with_pip=False)
    path = wheel(tmp_path, "MEANT = True\n")
    locked = f"harmless==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"

    def installed() -> list[Path]:
        return list((tmp_path / ".venv").rglob("harmless.py"))

    wheel(tmp_path, "MEANT = False\n")
    refused = set_up(tmp_path, locked)
    assert refused.returncode != 0 and "DO NOT MATCH THE HASHES" in refused.stderr and installed() == []
    unhashed = set_up(tmp_path, "harmless==1.0\n")
    assert unhashed.returncode != 0 and "--require-hashes" in unhashed.stderr and installed() == []
    wheel(tmp_path, "MEANT = True\n")
    done = set_up(tmp_path, locked)
    assert done.returncode == 0, done.stderr
    assert [one.read_text(encoding="utf-8") for one in installed()] == ["MEANT = True\n"]
