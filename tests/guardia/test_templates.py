"""Templates say what they mean: Django shows a tag that goes over a line's end as plain text."""

import re
from pathlib import Path

from django.conf import settings

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}")


def test_every_tag_ends_on_its_line() -> None:
    found = []
    for path in (Path(settings.BASE_DIR) / "templates").rglob("*"):
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        left = [(number, _TAG.sub("", line)) for number, line in enumerate(lines, start=1)]
        found += [f"{path.name}:{number}" for number, line in left if "{{" in line or "{%" in line]
    assert found == []
