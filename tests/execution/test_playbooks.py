"""Playbooks: what is refused and with which words; templates that fill in values and evaluate nothing."""

from typing import Any

import pytest

from execution.exceptions import PlaybookInvalid
from execution.playbooks.params import Param, ParamInvalid, filled_params
from execution.playbooks.publish import SHIPPED
from execution.playbooks.schema import parse_playbook
from execution.playbooks.strategy import Strategy
from execution.playbooks.template import UnknownVariable, fill, variables_in
from tickets.choices import SubType

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
params:
  days:
    type: int
    label: {ko: 일수, en: Days}
    default: 3
    max: 9
  kind:
    type: choice
    label: {ko: 종류, en: Kind}
    choices:
      a: {ko: 가, en: A}
strategy: {batches: ["1", "50%"]}
steps:
  - check_disk: {path: /srv, free_mib: 1}
  - check_accounts:
      inactive_days: "${params.days}"
"""
#: (part, what stands there instead, line, words)
BROKEN = [
    ("  - check_disk: {path: /srv, free_mib: 1}", "  - a: [", 19, "not YAML"),
    ("check_disk", "no_such", 18, "there is no step “no_such”"),
    (", free_mib: 1", "", 18, "step “check_disk” needs “free_mib”"),
    ("free_mib: 1", "free_mib: 1, sudo: true", 18, "step “check_disk” takes no “sudo”"),
    ("free_mib: 1", "free_mib: lots", 18, "“lots” is of the wrong type"),
    ("free_mib: 1", "free_mib: true", 18, "“True” is of the wrong type"),
    ("free_mib: 1", 'free_mib: "${home}"', 18, "“${home}” is of the wrong type"),
    ('"${params.days}"', '"${params.dyas}"', 20, "“params.dyas” is not known"),
    ('"${params.days}"', '"${task.id}"', 20, "“task.id” is not known"),
    ('"${params.days}"', '"${params.kind}"', 20, "is of the wrong type"),
    ('["1", "50%"]', '["0"]', 16, "“0” is neither a number of hosts nor a share"),
    ('["1", "50%"]', '["101%"]', 16, "“101%” is neither"),
    ('["1", "50%"]', '["-1"]', 16, "“-1” is neither"),
    ('["1", "50%"]', '["many"]', 16, "“many” is neither"),
    ('["1", "50%"]', "[]", 16, "at least one batch"),
    ('["1", "50%"]', '"1, 10%, lots"', 16, "“lots” is neither"),
    ('{batches: ["1", "50%"]}', "{}", 16, "“batches” is missing"),
    ('{batches: ["1", "50%"]}', "{by: groups}", 16, "“groups” is missing"),
    ('{batches: ["1", "50%"]}', "{by: groups, groups: 0}", 16, "out of bounds"),
    ('{batches: ["1", "50%"]}', "{by: pairs, batches: [1]}", 16, "“batches” doesn't go with “by: pairs”"),
    ('["1", "50%"]}', "[1], tier: 3}", 16, "“tier” doesn't go with “by: hosts”"),
    ('["1", "50%"]}', "[1], by: tier, tier: 4}", 16, "out of bounds"),
    ('["1", "50%"]}', "[1], by: weekday}", 16, "“weekday” is none of"),
    ('["1", "50%"]}', "[1],\n  tolerate: {wave: 1}}", 17, "“run” is missing"),
    ('["1", "50%"]}', "[1],\n  tolerate: {wave: 101%, run: 0}}", 17, "“101%” is neither"),
    ('["1", "50%"]}', "[1],\n  bake: soon}", 17, "“soon” is no duration"),
    ('["1", "50%"]}', "[1],\n  bake: 8d}", 17, "out of bounds"),
    ('["1", "50%"]}', "[1],\n  gate: ajar}", 17, "“ajar” is none of"),
    ('["1", "50%"]}', "[1],\n  rollback: none}", 17, "“none” is none of"),
    ("{batches:", "{pace: 1, batches:", 16, "“pace” isn't known here"),
    ("HEALTH_CHECK", "NO_SUCH", 3, "is no sub-type"),
    ("version: 1", "version: one", 2, "a whole number"),
    ("version: 1", "version: 0", 2, "a whole number"),
    ("version: 1\n", "", 1, "“version” is missing"),
    ("name: n", "name: Ä/..", 1, "small letters"),
    ("needs: []", "needs: [war]", 4, "“war” is none of"),
    ("needs: []", "needs: []\nextra: 1", 5, "“extra” isn't known"),
    ("needs: []", "needs: []\nneeds: []", 5, "stands here twice"),
    ("needs: []", "needs: []\n? [a]\n: 1", 5, "a key must be text"),
    ("needs: []", "needs: &x []", 4, ""),
    ("{path: /srv, free_mib: 1}", "[1]", 18, "named arguments"),
    ("  - check_disk: {path: /srv, free_mib: 1}", "  - 7", 18, "one name with its arguments"),
    ("name: n", "name: !!python/object/apply:os.getcwd []", 1, "tags are not allowed"),
    ("type: int", "type: number", 7, "“number” is none of"),
    ("    type: int\n", "", 6, "“type” is missing"),
    ("{ko: 일수, en: Days}", "{en: Days}", 8, "“ko” is missing"),
    ("{ko: 일수, en: Days}", "Days", 8, "keys and values"),
    ("default: 3", "default: x", 9, "doesn't fit"),
    ("default: 3", "default: 10", 9, "out of bounds"),
    ("default: 3", 'default: "${nothing}"', 9, "“nothing” is not known"),
    ("default: 3", 'pattern: "("', 9, "no regular expression"),
    ("max: 9", "max: many", 10, "wrong type"),
    ("max: 9", "max: 9\n    min_length: 1", 11, "“min_length” isn't known"),
    ("max: 9", "max: 9\n    choices: {}", 11, "only a choice has choices"),
    ("    choices:\n      a: {ko: 가, en: A}\n", "", 11, "a choice needs choices"),
    ("  days:", "  Days!:", 6, "a parameter's name"),
]


def test_the_good_playbook_is_good() -> None:
    definition = parse_playbook(GOOD)
    assert definition.steps[0].arguments == {"path": "/srv", "free_mib": 1}
    assert [(param.name, param.kind, param.required) for param in definition.params] == [
        ("days", "int", False),
        ("kind", "choice", True),
    ]


def test_a_strategy_is_read_with_all_it_may_say() -> None:
    block = 'strategy:\n  by: tier\n  tier: 3\n  batches: "1%, 50, 100%"\n  tolerate: {wave: 2, run: 5%}\n  bake: 10m\n'
    block += "  gate: manual\n  rollback: run"
    strategy = parse_playbook(GOOD.replace('strategy: {batches: ["1", "50%"]}', block)).strategy
    assert strategy == Strategy(("1%", "50", "100%"), "tier", 0, 3, "2", "5%", 600, "manual", "run")
    assert parse_playbook(GOOD).strategy == Strategy(("1", "50%"))


@pytest.mark.parametrize(("part", "instead", "line", "words"), BROKEN)
def test_a_broken_playbook_is_refused_with_its_line(
    part: str, instead: str, line: int, words: str, in_english: None
) -> None:
    assert part in GOOD
    source = GOOD.replace(part, instead, 1)
    if instead == "needs: &x []":
        assert parse_playbook(source).needs == ()  # an anchor that nobody uses means nothing
        return
    with pytest.raises(PlaybookInvalid) as refused:
        parse_playbook(source)
    assert str(refused.value).startswith(f"Line {line}: "), refused.value
    assert words in str(refused.value)
    assert refused.value.details["line"] == line


def test_a_huge_deep_or_multiplying_playbook_is_refused() -> None:
    laughs = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    for source in ("#" * 70_000, "[" * 30_000, laughs, "", "- 1", "null", "a: " + "[" * 20 + "]" * 20):
        with pytest.raises(PlaybookInvalid):
            parse_playbook(source)


def param(kind: str, **limits: Any) -> Param:
    return Param("p", kind, {"en": "P", "ko": "P"}, {}, True, **limits)


VALUES = [
    (param("text", pattern="[a-z]+"), "abc", "abc"),
    (param("text", pattern="[a-z]+"), "abc; reboot", ParamInvalid),
    (param("text", limits=(None, 3)), "abcd", ParamInvalid),
    (param("text"), "a\nb", ParamInvalid),
    (param("lines"), "a\n\n b ", ["a", "b"]),
    (param("lines"), "x\n" * 60, ParamInvalid),
    (param("int", limits=(1, 9)), "9", 9),
    (param("int", limits=(1, 9)), 0, ParamInvalid),
    (param("int"), True, ParamInvalid),
    (param("int"), "3개월", ParamInvalid),
    (param("bool"), "on", True),
    (param("bool"), False, False),
    (param("bool"), "maybe", ParamInvalid),
    (param("choice", choices={"tcp": {}}), "TCP", "tcp"),
    (param("choice", choices={"tcp": {}}), "icmp", ParamInvalid),
    (param("path", under=("/srv",)), "/srv/logs/", "/srv/logs"),
    (param("path", under=("/srv",)), "/srv2", ParamInvalid),
    (param("path", under=("/srv",)), "/srv/../etc", ParamInvalid),
    (param("path"), "logs", ParamInvalid),
    (param("port"), "8080", 8080),
    (param("port"), 65_536, ParamInvalid),
    (param("cron"), "0  3 * * 1-5", "0 3 * * 1-5"),
    (param("cron"), "at three", ParamInvalid),
    (param("duration"), "5m", 300),
    (param("duration"), 90, 90),
    (param("duration"), "soon", ParamInvalid),
    (param("network"), "10.1.2.3/24", "10.1.2.0/24"),
    (param("network"), "any", ParamInvalid),
]


@pytest.mark.parametrize(("spec", "given", "expected"), VALUES)
def test_parameters_are_typed_and_limited(spec: Param, given: Any, expected: Any) -> None:
    if expected is ParamInvalid:
        with pytest.raises(ParamInvalid):
            spec.checked(given)
    else:
        assert spec.checked(given) == expected
        assert type(spec.checked(given)) is type(expected)


def test_every_missing_or_wrong_parameter_is_named(in_english: None) -> None:
    params = parse_playbook(GOOD).params
    with pytest.raises(ParamInvalid, match=r"Days: “x” doesn't fit.*“Kind” is missing"):
        filled_params(params, {"days": "x", "unknown": 1})
    assert filled_params(params, {"days": "x"}, spared=True) == {}
    assert filled_params(params, {"kind": "a"}) == {"days": 3, "kind": "a"}


def test_each_sub_type_that_is_not_of_the_database_has_a_playbook() -> None:
    shipped = [parse_playbook(path.read_text(encoding="utf-8")) for path in SHIPPED.glob("*.yaml")]
    missing = set(SubType.values) - {definition.sub_type for definition in shipped}
    assert missing <= {"DATA_CLEAN", "DATA_SEED", "DB_QUERY", "DATA_CHECK"}
    assert len({definition.name for definition in shipped}) == len(shipped)
