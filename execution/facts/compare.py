"""Facts against what the plan expects, and what follows from a difference."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from execution.facts.parse import Facts

#: They describe a host and no command depends on them: a profile may have them taken over.
ADAPTABLE = ("os", "process")
_CONTAINED = frozenset(ADAPTABLE)
Then = Literal["warn", "stop", "adapt"]


class Drift(TypedDict):
    """One difference; `then` is what the run does about it."""

    fact: str
    expected: str
    found: str
    then: Then


class Expects(TypedDict):
    """`named`: fact → expected value; `paths`: path → program, folder or file; `on_drift` as in the profile."""

    named: Mapping[str, str]
    paths: Mapping[str, str]
    on_drift: Then


def drift_of(facts: Facts, expects: Expects) -> list[Drift]:
    """Every difference, in the order of what was expected."""
    found: list[Drift] = []
    for name, expected in expects["named"].items():
        value = facts.named.get(name, "")
        if name == "process" and not value:
            continue  # nothing runs: the checks of the service itself speak of that
        is_met = expected.casefold() in value.casefold() if name in _CONTAINED else expected == value
        if not is_met:
            found.append({"fact": name, "expected": expected, "found": value, "then": _then(name, expects["on_drift"])})
    for path, kind in expects["paths"].items():
        value = facts.paths.get(path, "")
        if value != kind:
            found.append({"fact": path, "expected": kind, "found": value, "then": _then(path, expects["on_drift"])})
    return found


def stops(drift: Sequence[Drift]) -> bool:
    return any(one["then"] == "stop" for one in drift)


def adapted(drift: Sequence[Drift]) -> dict[str, str]:
    """Fact → the value that the host's next plans expect."""
    return {one["fact"]: one["found"] for one in drift if one["then"] == "adapt"}


def told(drift: Sequence[Drift]) -> str:
    """The differences on one line, in plain words for the log and the chain."""
    return "; ".join(f"{one['fact']}: {one['expected']} → {one['found'] or '-'}" for one in drift)


def _then(fact: str, on_drift: Then) -> Then:
    """What commands depend on is never adapted: another command is another plan, which people approve."""
    return "stop" if on_drift == "adapt" and fact not in ADAPTABLE else on_drift


def lines_of(expects: Mapping[str, Any]) -> list[str]:
    """What is expected, as approvers read it."""
    return [f"{name} = {value}" for name, value in [*expects["named"].items(), *expects["paths"].items()]]
