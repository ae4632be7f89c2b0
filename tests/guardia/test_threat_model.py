"""Every threat of THREAT_MODEL.md names a test that shows what holds, and that test is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def rows() -> dict[str, list[str]]:
    """Threat → the other cells of its row."""
    text = (ROOT / "THREAT_MODEL.md").read_text(encoding="utf-8")
    table = text[text.index("| threat | what holds | shown by | open |") :].split("\n\n")[0]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]
    return {row[0]: row[1:] for row in cells}


def count_tests(path: Path) -> int:
    """How many test functions a file, or all files of a folder, hold."""
    files = path.rglob("test_*.py") if path.is_dir() else [path]
    return sum(
        isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        for file in files
        for node in ast.parse(file.read_text(encoding="utf-8")).body
    )


def test_the_table_is_whole() -> None:
    assert len(rows()) >= 40
    assert {threat: len(cells) for threat, cells in rows().items() if len(cells) != 3} == {}
    assert all(holds for holds, _shown, _open in rows().values())


@pytest.mark.parametrize("threat", rows())
def test_every_threat_names_tests_that_are_there(threat: str) -> None:
    named = re.findall(r"`(tests/[\w/.-]+)`", rows()[threat][1])
    assert named, "no test shows it"
    for name in named:
        path = ROOT / name
        assert path.exists(), name
        assert count_tests(path), f"{name} holds no test"
