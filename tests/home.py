"""Loaded before the settings (`-p tests.home`): the tests have a home, and so a database server, of their own."""

import os
from pathlib import Path

os.environ.setdefault("GUARDIA_HOME", str(Path(__file__).resolve().parent.parent / "var" / "test"))
os.environ.setdefault("GUARDIA_LOG_LEVEL", "WARNING")
# A folder that can't be emptied would outlive the tests; test_stores.py tries the attribute on its own.
os.environ.setdefault("GUARDIA_CHECKPOINT_APPEND_ONLY", "false")
