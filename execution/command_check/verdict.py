from dataclasses import dataclass, field
from enum import IntEnum


class Verdict(IntEnum):
    """The answers, from good to bad, so that the worst is the greatest."""

    ALLOW = 0
    ESCALATE = 1
    BLOCK = 2

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Judgement:
    verdict: Verdict
    reason: str


@dataclass(slots=True)
class Findings:
    """What was found; nothing found means that everything was understood and is harmless."""

    worst: Judgement = field(default_factory=lambda: Judgement(Verdict.ALLOW, "understood: reads, or routine change"))

    def add(self, verdict: Verdict, reason: str) -> None:
        if verdict > self.worst.verdict:
            self.worst = Judgement(verdict, reason)
