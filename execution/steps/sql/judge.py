"""What SQL may be asked for, by a real parser. The database holds the same limits again: a read-only transaction, one
prepared statement, a subquery. So what the parser reads otherwise than the database still changes nothing."""

import logging
import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokens import TokenType  # type: ignore[attr-defined]  # made by its compiled module

from execution.steps.arguments import BadArgument

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # its warnings quote the SQL, which may name people

PARSERS = {"postgresql": "postgres", "mariadb": "mysql", "sqlite": "sqlite"}
_LONGEST = 32 * 1024
_CHANGES = (
    exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.Alter, exp.Command, exp.Set, exp.Pragma,
    exp.Into, exp.Lock, exp.Copy, exp.Use, exp.Transaction, exp.Commit, exp.Rollback, exp.TruncateTable, exp.LoadData,
)  # fmt: skip
_HARMLESS_PG = re.compile(r"pg_(size_pretty|typeof|column_size|(table|total_relation|relation|database|indexes)_size)")
_DENIED = re.compile(
    r"(pg_|lo_|dblink|set_config|nextval|setval|query_to_|cursor_to_|table_to_|schema_to_|database_to_|load_file|sys_"
    r"|sleep|benchmark|get_lock|release_|is_free_lock|load_extension|readfile|writefile|edit$|fsdir|fts3_tokenizer"
    r"|master_pos_wait|xp_|utl_|dbms_)",
    re.IGNORECASE,
)
_ENDS_IN_SQLITE = re.compile(r"^\s*(\.|/\s*$|go\s*$)", re.IGNORECASE | re.MULTILINE)


def query(text: str, dialect: str) -> str:
    """One statement that only reads, without its closing semicolon. Raises BadArgument with the reason otherwise."""
    sql = _plain(text, dialect)
    tree = _one(sql, dialect)
    if not isinstance(tree, exp.Query):
        raise BadArgument("only a SELECT may be asked for")
    _check_harmless(tree)
    return sql


def condition(text: str, dialect: str) -> str:
    """What may stand behind WHERE, alone in brackets."""
    sql = _plain(text, dialect)
    tree = _one(f"SELECT 1 FROM t WHERE (\n{sql}\n)", dialect)
    where = tree.args.get("where")
    used = {key for key, value in tree.args.items() if value}
    if not isinstance(tree, exp.Select) or used - {"expressions", "from", "from_", "where"} or where is None:
        raise BadArgument("the condition is more than a condition")
    if not isinstance(where.this, exp.Paren):
        raise BadArgument("the condition's brackets don't match")
    _check_harmless(tree)
    return sql


def assignments(text: str, dialect: str) -> tuple[str, tuple[str, ...]]:
    """What may stand behind SET, and the columns it changes."""
    sql = _plain(text, dialect)
    tree = _one(f"UPDATE t SET\n{sql}\nWHERE (1 = 1)", dialect)
    used = {key for key, value in tree.args.items() if value}
    if not isinstance(tree, exp.Update) or used - {"this", "expressions", "where"}:
        raise BadArgument("the change is more than assignments")
    if tree.args["where"].this.sql() != "(1 = 1)":
        raise BadArgument("the change has a condition of its own")
    pairs = tree.args["expressions"]
    if not all(isinstance(pair, exp.EQ) and isinstance(pair.this, exp.Column) for pair in pairs):
        raise BadArgument("a change is “column = value”, separated by commas")
    if any(pair.this.table for pair in pairs):
        raise BadArgument("columns are named without their table")
    for pair in pairs:
        _check_harmless(pair)
    return sql, tuple(pair.this.name for pair in pairs)


def _plain(text: str, dialect: str) -> str:
    sql = text.strip().removesuffix(";").rstrip()
    if not sql or len(sql) > _LONGEST or "\0" in sql:
        raise BadArgument("SQL is needed, 32 KiB of text at most")
    if "/*" in sql or "--" in sql:
        raise BadArgument("SQL may hold no comment: some databases execute them")
    if dialect == "sqlite" and _ENDS_IN_SQLITE.search(sql):
        raise BadArgument("no line of SQL for SQLite may begin with a dot or be “go” or “/”: its client would obey it")
    return sql


def _one(sql: str, dialect: str) -> exp.Expression:
    try:
        tokens = sqlglot.tokenize(sql, read=PARSERS[dialect])
        trees = sqlglot.parse(sql, read=PARSERS[dialect])
    except (SqlglotError, RecursionError, ValueError) as error:
        raise BadArgument("the SQL can't be read") from error
    if any(token.comments for token in tokens):
        raise BadArgument("SQL may hold no comment: some databases execute them")
    tree = trees[0] if len(trees) == 1 else None
    if not isinstance(tree, exp.Expression):
        raise BadArgument("one statement is needed")
    if sum(token.token_type == TokenType.WHERE for token in tokens) != len(list(tree.find_all(exp.Where))):
        raise BadArgument("the SQL can't be read")  # the parser takes a second WHERE and forgets the first
    return tree


def _check_harmless(tree: exp.Expression) -> None:
    for node in tree.walk():
        if isinstance(node, _CHANGES):
            raise BadArgument("the SQL does more than read")
        if isinstance(node, exp.Func):
            name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
            if _DENIED.match(name) and not _HARMLESS_PG.fullmatch(name.lower()):
                raise BadArgument(f"the function “{name[:40]}” may not be used")
