"""Diffs as rows: numbers, signs, bounds; whatever the text is, it is shown and nothing breaks."""

import pytest

from governance.diff import read_diff

TWO = """diff --git a/a.txt b/a.txt
index 1..2 100644
--- a/a.txt
+++ b/a.txt
@@ -3,3 +3,3 @@ def f():
 same
--- not a header
+++ nor this
 end
--- a/gone.txt
+++ /dev/null
@@ -1 +0,0 @@
-bye
\\ No newline at end of file
"""


def test_lines_carry_their_numbers_and_kinds() -> None:
    first, second = read_diff(TWO)
    assert (first.name, first.added, first.removed) == ("a.txt", 1, 1)
    assert [(line.kind, line.old, line.new) for line in first.lines] == [
        ("hunk", None, None),
        ("same", 3, 3),
        ("removed", 4, None),
        ("added", None, 4),
        ("same", 5, 5),
    ]
    assert [line.text for line in first.lines[2:4]] == ["-- not a header", "++ nor this"]
    assert (second.name, second.removed, [line.kind for line in second.lines]) == (
        "gone.txt",
        1,
        ["hunk", "removed", "note"],
    )


def test_a_big_diff_is_folded_and_bounded() -> None:
    body = "".join(f"+line {number}\n" for number in range(5000))
    (file,) = read_diff(f"--- /dev/null\n+++ b/big\n@@ -0,0 +1,5000 @@\n{body}", lines_shown=100)
    assert file.is_folded and len(file.lines) == 100 and file.left_out == 4901 and file.added == 5000


def test_very_many_files_are_bounded_too() -> None:
    files = read_diff("--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+y\n" * 1000)
    assert len(files) == 200 and files[-1].left_out == 1600


@pytest.mark.parametrize(
    "text",
    ["", "no diff at all", "@@ -1 +1 @@", "@@ -9999999999 +1 @@", "+" * 100_000, "\x1b[31m\x00\u202e", "--- a\n+++ "],
)
def test_whatever_comes_is_shown_bounded(text: str) -> None:
    for file in read_diff(text):
        for line in file.lines:
            assert len(line.text) <= 400 and "\x1b" not in line.text and "\u202e" not in line.text
