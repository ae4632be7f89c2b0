"""Field-by-field accuracy over labelled requests: the figure behind every claim about the parser."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .catalogue import Catalogue
from .parser import parse_request
from .result import ParsedRequest

FIELDS = ("is_request", "category", "sub_type", "institution", "system", "servers", "needs_info", "dangerous", "urgent")


@dataclass(slots=True)
class Report:
    """Hits per field; `misses` holds (id, field, wanted, got). `params` is the share of labelled keys found exactly."""

    total: int = 0
    hits: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FIELDS, 0))
    danger: list[tuple[bool, bool]] = field(default_factory=list)
    params_wanted: int = 0
    params_found: int = 0
    misses: list[tuple[str, str, Any, Any]] = field(default_factory=list)

    def accuracy(self, name: str) -> float:
        return self.hits[name] / self.total if self.total else 0.0

    @property
    def danger_recall(self) -> float:
        wanted = [got for want, got in self.danger if want]
        return sum(wanted) / len(wanted) if wanted else 1.0

    @property
    def params_recall(self) -> float:
        return self.params_found / self.params_wanted if self.params_wanted else 1.0

    def lines(self) -> list[str]:
        """The figures as text, one a line."""
        figures = [f"{name:12} {self.accuracy(name):6.1%}" for name in FIELDS]
        return [
            f"samples      {self.total}",
            *figures,
            f"danger recall {self.danger_recall:.1%}",
            f"params found  {self.params_recall:.1%}",
        ]


def evaluate(samples: Iterable[Mapping[str, Any]], catalogue: Catalogue) -> Report:
    """Parse each sample's text and compare with its labels (the format of requests.dev.jsonl)."""
    report = Report()
    for sample in samples:
        result = parse_request(sample["text"], catalogue, has_artefact=bool(sample.get("has_artefact")))
        _compare(report, sample, result)
    return report


def _compare(report: Report, sample: Mapping[str, Any], result: ParsedRequest) -> None:
    got = result.to_dict() | {"dangerous": result.is_dangerous, "urgent": result.is_urgent}
    report.total += 1
    report.danger.append((bool(sample["dangerous"]), result.is_dangerous))
    for name in FIELDS:
        want, have = sample[name], got[name]
        same = sorted(want) == sorted(have) if isinstance(want, list) else want == have
        report.hits[name] += same
        if not same:
            report.misses.append((sample["id"], name, want, have))
    for key, want in sample["params"].items():
        report.params_wanted += 1
        have = result.params.get(key)
        if _plain(have) == _plain(want):
            report.params_found += 1
        else:
            report.misses.append((sample["id"], f"params.{key}", want, have))


def _plain(value: Any) -> Any:
    return "".join(value.split()) if isinstance(value, str) else value
