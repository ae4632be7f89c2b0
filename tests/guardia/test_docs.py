"""The documents name only what is there: links, paths, make targets, commands, API fields."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from audit.api.serializers import ReportOrderSerializer, ReportSerializer
from governance.api.serializers import ApprovalRequestSerializer, ApprovalStepSerializer
from guardia.api.history import EntrySerializer, HistorySerializer, HostRunSerializer, RunSerializer
from tickets.api.serializers import IntakeSerializer, TaskSerializer

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_CODE = re.compile(r"^ *```.*?^ *```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_FOLDERS = tuple(f"{path.name}/" for path in ROOT.iterdir() if path.is_dir() and path.name not in {"var", ".venv"})
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def code_of(document: Path) -> list[str]:
    return _CODE.findall(document.read_text(encoding="utf-8"))


@each_document
def test_every_relative_link_resolves(document: Path) -> None:
    text = _CODE.sub("", document.read_text(encoding="utf-8"))
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    broken = [
        target
        for target in targets
        if not target.startswith(("http://", "https://", "#"))
        and not (document.parent / target.partition("#")[0]).exists()
    ]
    assert broken == []


@each_document
def test_every_path_that_is_named_exists(document: Path) -> None:
    named = [span.strip("`") for span in code_of(document) if not span.lstrip().startswith("```")]
    paths = [name for name in named if name.startswith(_FOLDERS) and re.fullmatch(r"[\w./-]+", name)]
    assert [path for path in paths if not (ROOT / path).exists()] == []


@each_document
def test_every_make_target_and_command_that_is_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    code = "\n".join(code_of(document))
    made = set(re.findall(r"(?:^|`|\$ )make ([a-z][a-z-]*)", code, re.MULTILINE))
    managed = set(re.findall(r"manage\.py ([a-z_]+)", code))
    assert (made - targets, managed - set(get_commands())) == (set(), set())


def test_every_document_and_decision_that_code_names_exists() -> None:
    decisions = {path.name[:4] for path in (ROOT / "docs" / "adr").glob("*.md")}
    sources = [*(path for folder in _FOLDERS for path in (ROOT / folder).rglob("*.py")), ROOT / "pyproject.toml"]
    for source in sources:
        text = source.read_text(encoding="utf-8")
        assert set(re.findall(r"\bADR (\d{4})", text)) <= decisions, source
        named = re.findall(r"\bdocs/[\w/-]+\.md", text)
        assert [name for name in named if not (ROOT / name).exists()] == [], source


def test_every_field_of_the_api_is_documented() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    serializers = (
        IntakeSerializer, TaskSerializer, ApprovalRequestSerializer, ApprovalStepSerializer,
        HistorySerializer, RunSerializer, HostRunSerializer, EntrySerializer, ReportSerializer, ReportOrderSerializer,
    )  # fmt: skip
    fields = {name for serializer in serializers for name in serializer().fields}
    assert {name for name in fields if not re.search(rf"[`\"]{name}[`\"]", text)} == set()
