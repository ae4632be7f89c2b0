"""The rows of a seed file: CSV with a header, or SQL that is nothing but INSERTs of plain values. Pure."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from execution.steps.arguments import BadArgument
from execution.steps.sql.dialect import Dialect
from execution.steps.sql.judge import PARSERS
from execution.steps.sql.names import Table, names_in

LARGEST_FILE = 16 * 1024 * 1024
_AT_ONCE = 100
_LONGEST_FIELD = 1024 * 1024
Row = list[str | None]


def read_rows(data: bytes, *, dialect: str, table: str, null: str = "") -> tuple[list[str], list[Row]]:
    """Columns and rows of an artefact. Raises BadArgument, which quotes nothing of the file."""
    if len(data) > LARGEST_FILE:
        raise BadArgument("the file is larger than 16 MiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadArgument("the file is not UTF-8") from error
    if "\0" in text:
        raise BadArgument("the file holds a NUL, which no text of a database can")
    is_sql = text.lstrip()[:6].upper() == "INSERT"
    columns, rows = _from_sql(text, dialect, table) if is_sql else _from_csv(text, null)
    if not rows:
        raise BadArgument("the file has no rows")
    return columns, rows


def _from_csv(text: str, null: str) -> tuple[list[str], list[Row]]:
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise BadArgument("the file is not CSV") from error
    if not lines:
        raise BadArgument("the file has no rows")
    columns = list(names_in(lines[0]))
    rows: list[Row] = []
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(columns):
            if not line:
                continue
            raise BadArgument(f"row {number} has {len(line)} fields instead of {len(columns)}")
        rows.append([None if field == null else field for field in line])
    return columns, rows


def _from_sql(text: str, dialect: str, table: str) -> tuple[list[str], list[Row]]:
    try:
        trees = sqlglot.parse(text, read=PARSERS[dialect])
    except (SqlglotError, RecursionError, ValueError) as error:
        raise BadArgument("the file is neither CSV nor SQL that can be read") from error
    columns: list[str] = []
    rows: list[Row] = []
    for tree in trees:
        if tree is None:
            continue
        found, values = _insert(tree, table)
        if columns and found != columns:
            raise BadArgument("the INSERTs of a file name the same columns")
        columns = found
        rows += [_literals(item, len(columns)) for item in values.expressions]
    return list(names_in(columns)), rows


def _insert(tree: Any, table: str) -> tuple[list[str], exp.Values]:
    used = {key for key, value in tree.args.items() if value}
    schema, values = tree.this, tree.args.get("expression")
    if not isinstance(tree, exp.Insert) or used != {"this", "expression"} or not isinstance(schema, exp.Schema):
        raise BadArgument("the SQL is more than “INSERT INTO table (columns) VALUES …”")
    if not isinstance(values, exp.Values) or schema.this.name != table:
        raise BadArgument("the SQL inserts into another table, or no plain values")
    return [column.name for column in schema.expressions], values


def _literals(item: exp.Expression, width: int) -> Row:
    if len(item.expressions) != width:
        raise BadArgument("a row of the SQL has another number of values than columns")
    return [_literal(value) for value in item.expressions]


def _literal(value: exp.Expression) -> str | None:
    if isinstance(value, exp.Null):
        return None
    if isinstance(value, exp.Literal):
        return str(value.this)
    if isinstance(value, exp.Neg) and isinstance(value.this, exp.Literal) and not value.this.is_string:
        return f"-{value.this.this}"
    if isinstance(value, exp.Boolean):
        return "1" if value.this else "0"
    raise BadArgument("the SQL inserts something that is no plain value")


def insert_statements(dialect: Dialect, part: Mapping[str, Any], rows: Sequence[Row]) -> Iterator[str]:
    """The script that puts the rows into the task's own table, a hundred in each statement."""
    table = dialect.table(Table(part["table"], part["schema"]))
    names = ", ".join(dialect.name(column) for column in part["columns"])
    for start in range(0, len(rows), _AT_ONCE):
        tuples = ",\n".join(f"({', '.join(map(dialect.value, row))})" for row in rows[start : start + _AT_ONCE])
        yield f"INSERT INTO {table} ({names}) VALUES\n{tuples};\n"
