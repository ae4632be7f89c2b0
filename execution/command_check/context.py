"""What is known while a line is judged: where it stands, what its variables hold, what was found so far."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from execution.command_check.verdict import Findings, Verdict

#: Stand-ins inside a resolved word, for what isn't fixed text. Control characters never pass `text`.
STAR, QUERY, CLASS = "\x01", "\x02", "\x03"  # unquoted globs
TAME = "\x04"  # unknown, but a single word without a slash or a leading dash (a date, a number, a host name)
WILD = "\x05"  # unknown
BRACE, COMMA, ECARB = "\x06", "\x07", "\x0e"  # braces that expand
TILDE = "\x0f"  # a home directory
FIELD = "\x10"  # where an unquoted value is split
GLOBS = frozenset((STAR, QUERY, CLASS))
UNKNOWN = frozenset((TAME, WILD))
_ALL = GLOBS | UNKNOWN | {TILDE}


def is_number(word: str) -> bool:
    """Nothing but digits, or a tame word: arithmetic finds no subscript in it."""
    return re.fullmatch(rf"[-+]?[\d{TAME}]*", word) is not None


def is_static(word: str) -> bool:
    return _ALL.isdisjoint(word)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The convention of a host: the application's directories, the programs known there, and the tables of its own."""

    app: tuple[str, ...] = ("/app",)
    backup: tuple[str, ...] = ("/backup",)
    programs: tuple[str, ...] = ("/app/scripts/", "/app/bin/", "/app/tomcat/bin/")
    technical_tables: frozenset[str] = frozenset(("session_log", "http_session", "ops_note"))
    files: tuple[str, ...] = ()  # which the step library's own scripts may edit, and nothing else


@dataclass(frozen=True, slots=True)
class Stdin:
    """What a command reads: `text` where it is known to the byte, `roots` where it is a list of paths below these, `files` whose content it is."""

    text: str | None = None
    roots: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    is_piped: bool = False
    is_tame: bool = False  # numbers, and words that are no options and no paths


NO_STDIN = Stdin()
#: Judges a script inside a script: (context, its text)
Nested = Callable[["Context", str], None]


@dataclass(slots=True)
class Budget:
    """Bounds on how much is looked at, so that no line takes long."""

    visits: int = 3000
    depth: int = 0


@dataclass(slots=True)
class Context:
    surroundings: Surroundings
    findings: Findings
    budget: Budget
    judge_script: Nested
    judge_argv: Callable[["Context", Sequence[str]], None]
    cwd: str = ""  # "" where the line starts: taken for a directory of the application
    variables: dict[str, str] = field(default_factory=dict)
    stdin: Stdin = NO_STDIN
    restarted: frozenset[str] = frozenset()  # units that the same line starts again

    def block(self, reason: str) -> None:
        self.findings.add(Verdict.BLOCK, reason)

    def escalate(self, reason: str) -> None:
        self.findings.add(Verdict.ESCALATE, reason)

    def inner(self) -> "Context":
        """For a subshell: what it changes is forgotten afterwards, what it finds isn't."""
        return Context(
            self.surroundings,
            self.findings,
            self.budget,
            self.judge_script,
            self.judge_argv,
            self.cwd,
            dict(self.variables),
            self.stdin,
            self.restarted,
        )
