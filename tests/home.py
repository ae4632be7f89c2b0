"""Loaded before the settings (`-p tests.home`): the tests have a home, and so a database server, of their own."""

import os
from pathlib import Path

os.environ.setdefault("GUARDIA_HOME", str(Path(__file__).resolve().parent.parent / "var" / "test"))
os.environ.setdefault("GUARDIA_LOG_LEVEL", "WARNING")
