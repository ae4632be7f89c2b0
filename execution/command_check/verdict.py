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
    """`is_sight`: nothing is wrong but that people's data would be seen as it is; where it is masked, it isn't."""

    verdict: Verdict
    reason: str
    is_sight: bool = False


@dataclass(slots=True)
class Findings:
    """What was found; nothing found means that everything was understood and is harmless."""

    worst: Judgement = field(default_factory=lambda: Judgement(Verdict.ALLOW, "understood: reads, or routine change"))

    def add(self, verdict: Verdict, reason: str, *, is_sight: bool = False) -> None:
        """What masking doesn't mend is worse than what it does."""
        if (verdict, not is_sight) > (self.worst.verdict, not self.worst.is_sight):
            self.worst = Judgement(verdict, reason, is_sight)
