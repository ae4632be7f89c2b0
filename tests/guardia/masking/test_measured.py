"""The net, measured: on lines written by hand, on generated ones, and on generated ones that nobody has looked at."""

import pytest

from tests.guardia.masking import make_sample
from tests.guardia.masking.measure import documented, labels, measure, sample, table

FORBIDDEN = ("secret", "token", "session", "authorization", "url", "rrn", "card")


def test_what_was_written_by_hand_is_hidden_and_nothing_else() -> None:
    found = measure(sample("written.txt"))
    assert found.missed == [] and found.alarms == []
    assert found.clean > 120 and sum(found.shown.values()) > 150


def test_what_was_generated_is_hidden_and_little_else() -> None:
    found = measure(sample("generated.txt"))
    assert found.missed == [] and found.false_alarms < 0.01, found.alarms
    assert found.beyond < 10 and found.clean > 200 and sum(found.shown.values()) > 350


def test_the_generated_sample_is_what_its_maker_makes() -> None:
    assert sample("generated.txt")[1:] == list(make_sample.lines(make_sample.SEED, make_sample.LINES))


@pytest.mark.parametrize("seed", range(5))
def test_lines_that_nobody_has_looked_at(seed: int) -> None:
    found = measure(make_sample.lines(seed, 2000))
    assert found.recall(*FORBIDDEN) > 0.998, found.missed
    assert found.recall("phone", "email") > 0.99, found.missed
    assert found.false_alarms < 0.005, found.alarms


def test_the_measure_can_fail() -> None:
    found = measure(["nothing hides ⟦secret|hunter2⟧ here", "password=plain1", "fine"])
    assert found.missed and found.recall() == 0 and found.false_alarms == 0.5
    assert labels("a ⟦rrn|900101-1234567⟧") == [("rrn", "900101-1234567")]


def test_the_document_tells_these_figures() -> None:
    assert documented() == table(), "python -m tests.guardia.masking.measure"
