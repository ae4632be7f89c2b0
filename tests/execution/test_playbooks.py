"""Playbooks: what is refused and with which words; templates that fill in values and evaluate nothing."""

from typing import Any

import pytest

from execution.exceptions import PlaybookInvalid
from execution.playbooks.schema import parse_playbook
from execution.playbooks.template import UnknownVariable, fill, variables_in
from execution.steps.library import problem_with

NAMES = {"port": 8080, "path": {"pid_file": "/srv/run/app.pid"}, "params": {"names": ["a", "b"], "on": True}}
FILLED = [
    ("${port}", 8080),
    ("${params.names}", ["a", "b"]),
    ("${params.on}", True),
    ("at ${port}:${path.pid_file}", "at 8080:/srv/run/app.pid"),
    ({"a": ["${port}", 1, None]}, {"a": [8080, 1, None]}),
    ("${port.__class__}", UnknownVariable),
    ("${params.missing}", UnknownVariable),
    ("${nothing}", UnknownVariable),
    ("${params.names.0}", UnknownVariable),
    ("${1 + 1}", "${1 + 1}"),
    ("$(reboot) `reboot` {port} %(port)s", "$(reboot) `reboot` {port} %(port)s"),
    ("${__import__}", UnknownVariable),
    ("${path.pid_file", "${path.pid_file"),
]


@pytest.mark.parametrize(("value", "expected"), FILLED)
def test_templates_are_filled_strictly(value: Any, expected: Any) -> None:
    if expected is UnknownVariable:
        with pytest.raises(UnknownVariable):
            fill(value, NAMES)
    else:
        assert fill(value, NAMES) == expected
        assert type(fill(value, NAMES)) is type(expected)


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    assert fill("${a}", {"a": "${b}", "b": "no"}) == "${b}"
    assert fill("x ${a}", {"a": "${b}", "b": "no"}) == "x ${b}"
    assert variables_in({"x": ["${a.b}", {"y": "${c} ${d}"}], "z": 1}) == {"a.b", "c", "d"}


GOOD = """name: n
version: 1
sub_type: HEALTH_CHECK
needs: []
strategy: {batches: ["1", "50%"]}
steps:
  - check_disk: {path: /srv, free_mib: 1}
"""
BROKEN = [
    ("steps:\n  - a: [", "steps:\n  - a: [", "Line 9 is not YAML."),
    ("check_disk", "no_such", "there is no step “no_such”"),
    (", free_mib: 1", "", "step “check_disk” needs “free_mib”"),
    ("free_mib: 1", "free_mib: 1, sudo: true", "step “check_disk” takes no “sudo”"),
    ('["1", "50%"]', '["0"]', "“0” is neither a number of hosts nor a share"),
    ('["1", "50%"]', '["101%"]', "“101%” is neither"),
    ('["1", "50%"]', '["-1"]', "“-1” is neither"),
    ('["1", "50%"]', '["many"]', "“many” is neither"),
    ('["1", "50%"]', "[]", "at least one batch"),
    ("HEALTH_CHECK", "NO_SUCH", "not a valid SubType"),
    ("version: 1", "version: one", "invalid literal"),
    ("version: 1\n", "", "exactly the keys"),
    ("needs: []", "needs: []\nextra: 1", "exactly the keys"),
    ("{path: /srv, free_mib: 1}", "[1]", "named arguments"),
    ("  - check_disk: {path: /srv, free_mib: 1}\n", "  []\n", "at least one step"),
    ("name: n", "name: !!python/object/apply:os.getcwd []", "Line 1 is not YAML."),
]


def test_the_good_playbook_is_good() -> None:
    assert parse_playbook(GOOD).steps[0].arguments == {"path": "/srv", "free_mib": 1}


@pytest.mark.parametrize(("part", "instead", "words"), BROKEN, ids=[words[:30] for _part, _instead, words in BROKEN])
def test_a_broken_playbook_is_refused_with_words(part: str, instead: str, words: str, in_english: None) -> None:
    source = GOOD + instead if part == instead else GOOD.replace(part, instead)
    with pytest.raises(PlaybookInvalid) as refused:
        parse_playbook(source)
    assert words in str(refused.value)


def test_a_huge_or_deep_playbook_is_refused() -> None:
    for source in ("#" * 70_000, "[" * 30_000):
        with pytest.raises(PlaybookInvalid):
            parse_playbook(source)


def test_steps_are_called_by_name_only() -> None:
    assert problem_with("upload", {"sha256": "x", "size": 1, "path": "/x"}) == ""
    assert problem_with("__class__", {}) == "there is no step “__class__”"
