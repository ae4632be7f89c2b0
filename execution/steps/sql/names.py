"""Names in a database: which may be used, and how they are quoted. Never a value, never SQL of somebody else's."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from execution.steps.arguments import BadArgument

_NAME = re.compile(r"[^\W\d]\w{0,62}")
_LONGEST = 63  # bytes: PostgreSQL cuts longer names, MariaDB and SQLite take them


def checked(name: str) -> str:
    """A plain identifier: a letter (Korean too) or underscore, then letters, digits, underscores."""
    if not _NAME.fullmatch(name) or len(name.encode()) > _LONGEST:
        raise BadArgument(f"“{name[:80]}” is not the name of a table or column")
    return name


def names_in(text: str | Sequence[str]) -> tuple[str, ...]:
    """Column names, as a list or separated by commas."""
    parts = text.split(",") if isinstance(text, str) else text
    names = tuple(checked(str(part).strip()) for part in parts)
    if len(set(names)) != len(names):
        raise BadArgument("a column is named twice")
    return names


@dataclass(frozen=True, slots=True)
class Table:
    """A table, with its schema where one was named, and the tables that a task keeps beside it."""

    name: str
    schema: str = ""

    @classmethod
    def named(cls, text: str) -> "Table":
        schema, dot, name = text.rpartition(".")
        return cls(checked(name), checked(schema) if dot else "")

    def beside(self, task: str, what: str) -> "Table":
        """`guardia_ops_20261121_001_rows` in the same schema: what the task keeps of this table."""
        return Table(checked(f"guardia_{task.lower().replace('-', '_')}_{what}"), self.schema)


def lock_key(task: str, table: Table) -> int:
    """The number of the lock that makes attempts at one change go one after the other; 63 bits."""
    digest = hashlib.sha256(f"guardia|{task}|{table.schema}|{table.name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
