"""What the steps need a dialect to say. Scripts are lists of parts; people's text goes in as `{"hex": …}` or judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from execution.steps.ops import SqlPart
from execution.steps.sql.names import Table

Script = list[SqlPart]
COUNT_DIFFERS = "the number of rows is not what was approved"
DONE_BEFORE = "this change was made here before"
NOT_ALL = "not as many rows were changed as were backed up"
NOT_RESTORED = "not as many rows came back as were backed up"
NOT_PLAIN = "this is not a plain table that knows transactions"
TRIGGERS = "the table has triggers or rules"
CASCADES = "other tables would change along by foreign keys"
KEY_UNFIT = "the key is not unique and present in every row"
DUPLICATES = "rows with these keys are there already"
NOT_REMOVED = "not as many rows were removed as were inserted"
REFUSALS = (
    COUNT_DIFFERS, DONE_BEFORE, NOT_ALL, NOT_RESTORED, NOT_PLAIN, TRIGGERS, CASCADES, KEY_UNFIT, DUPLICATES,
    NOT_REMOVED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """One change of one table by one task: what is kept beside the table, and the lock that makes attempts queue."""

    table: Table
    rows: Table
    """The affected rows as they were, or the rows that were inserted."""
    mark: Table
    """There (with one row) exactly when the change was committed."""
    lock: int
    key: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    """Those that an update changes, or that a seed fills."""


class Dialect(Protocol):
    def name(self, name: str) -> str: ...
    def table(self, table: Table) -> str: ...
    def ready(self) -> Script: ...
    def read(self, sql: str, *, limit: int, seconds: int) -> Script: ...
    def number(self, sql: str, *, seconds: int) -> Script: ...
    def is_done(self, job: Job, *, seconds: int) -> Script: ...
    def begin(self, job: Job, like: str, *, seconds: int) -> Script:
        """Wait for the lock, see that it wasn't done before, make the empty tables, open the transaction."""

    def fit(self, job: Job, verb: Literal["delete", "update"]) -> Script:
        """The table is one whose rows can be put back exactly."""

    def must(self, condition: str, refusal: str) -> Script: ...
    def run(self, sql: str) -> Script: ...
    def run_on_all(self, sql: str, job: Job, refusal: str) -> Script:
        """Run a change that must touch as many rows as are kept."""

    def commit(self, job: Job) -> Script:
        """Set the mark, commit, and print the number of rows."""

    def undo(self, job: Job, how: Literal["insert", "update", "remove"], *, seconds: int) -> Script: ...
    def value(self, text: str | None) -> str: ...


def same_key(key: Sequence[str], left: str, right: str, dialect: Dialect) -> str:
    return " AND ".join(f"{left}.{dialect.name(column)} = {right}.{dialect.name(column)}" for column in key)
