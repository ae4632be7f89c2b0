"""Templates say what they mean: Django shows a tag that goes over a line's end as plain text, and an icon that isn't
there as nothing."""

import re
from pathlib import Path

from django.conf import settings

from execution.choices import HostStatus

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}")


def test_every_tag_ends_on_its_line() -> None:
    found = []
    for path in (Path(settings.BASE_DIR) / "templates").rglob("*"):
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        left = [(number, _TAG.sub("", line)) for number, line in enumerate(lines, start=1)]
        found += [f"{path.name}:{number}" for number, line in left if "{{" in line or "{%" in line]
    assert found == []


def test_every_state_of_a_host_has_its_icon() -> None:
    icons = (Path(settings.BASE_DIR) / "static/guardia/icons.svg").read_text(encoding="utf-8")
    assert set(HostStatus.values) <= set(re.findall(r'<symbol id="(\w+)"', icons))
