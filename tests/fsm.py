"""State machines as tables: what a model really allows, and every pair of state and transition tried."""

from collections.abc import Iterable
from typing import Any

import pytest
from django_fsm import TransitionNotAllowed

#: transition → (states it may start from, state it ends in)
Table = dict[str, tuple[set[str], str]]


def assert_states(model: type[Any], table: Table, states: Iterable[str], calls: dict[str, dict[str, Any]]) -> None:
    """`model` allows exactly what `table` says: every (state, transition) pair is called on an unsaved instance.

    `calls` holds the arguments of the transitions that need some.
    """
    names = {way.name for way in model._meta.get_field("status").get_all_transitions(model)}
    assert names == set(table), "a transition is missing from the table, or is no more"
    for name, (sources, target) in table.items():
        for state in states:
            row = model(status=state)
            if state in sources:
                getattr(row, name)(**calls.get(name, {}))
                assert row.status == target, (state, name)
            else:
                with pytest.raises(TransitionNotAllowed):
                    getattr(row, name)(**calls.get(name, {}))
                assert row.status == state, (state, name)


def assert_protected(model: type[Any], state: str) -> None:
    """Assigning the status past the transitions is refused."""
    row = model(status=state)
    with pytest.raises(AttributeError):
        row.status = state
