"""The parser's figures on labelled requests; the floors hold what was reached."""

import pytest
from parsing_data import sample_catalogue, samples

from tickets.parsing.evaluate import evaluate

FLOORS = {
    "is_request": 0.97, "category": 0.95, "sub_type": 0.95, "institution": 0.97, "system": 0.97, "servers": 0.95,
    "needs_info": 0.90, "dangerous": 0.97, "urgent": 0.95,
}  # fmt: skip


@pytest.mark.parametrize("name", ["requests.dev.jsonl", "own.jsonl", "own2.jsonl"])
def test_accuracy_holds_its_floor(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    report = evaluate(samples(name), sample_catalogue())
    with capsys.disabled():
        print(f"\n{name}", *report.lines(), sep="\n  ")
    below = {key: report.accuracy(key) for key, floor in FLOORS.items() if report.accuracy(key) < floor}
    assert not below, report.misses
    assert report.danger_recall == 1.0
    assert report.params_recall >= 0.85


def test_a_wrong_label_is_counted_as_a_miss() -> None:
    sample = dict(samples("requests.dev.jsonl")[1], sub_type="BACKUP")
    report = evaluate([sample], sample_catalogue())
    assert report.accuracy("sub_type") == 0.0
    assert report.accuracy("system") == 1.0
