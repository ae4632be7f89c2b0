"""The peers in a virtual environment of their own, from whatever package index pip is configured for."""

import json
import subprocess
import sys
from pathlib import Path

PACKAGES = ("asyncssh", "parallel-ssh", "ssh2-python", "fabric", "pyinfra", "ansible-core")


def peers_python(folder: Path) -> Path:
    """The interpreter of the environment at `folder`, made at first use."""
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES], check=True, stdout=sys.stderr)
        (folder / "ready").touch()
    return python


def versions(python: Path) -> str:
    listed = subprocess.run(
        [str(python), "-m", "pip", "list", "--format", "json"], check=True, capture_output=True, text=True
    )
    found = {row["name"].lower(): row["version"] for row in json.loads(listed.stdout)}
    return ", ".join(f"{name} {found.get(name, '?')}" for name in PACKAGES)
