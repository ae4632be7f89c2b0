"""Queries: what they read, and how much of it."""

import re

from sqlglot import exp

from execution.command_check.sql_endless import may_never_end
from execution.command_check.sql_names import (
    BUSINESS_TABLES,
    HOLD_HASHES,
    HOLD_SETTINGS,
    PERSONAL_COLUMNS,
    PERSONAL_TABLES,
    SECRET_COLUMNS,
    SECRET_TABLES,
    SYSTEM_TABLES,
    is_hidden_column,
)
from execution.command_check.verdict import Findings, Verdict

#: Parts of a query that do more than read.
_ACTS = (
    exp.Into,
    exp.Lock,
    exp.Insert,
    exp.Update,
    exp.Delete,
    exp.Merge,
    exp.Command,
    exp.Create,
    exp.Drop,
    exp.Alter,
    exp.NextValueFor,
    exp.Set,
)
_PSEUDO = frozenset(
    [
        "sysdate",
        "systimestamp",
        "current_date",
        "current_timestamp",
        "user",
        "rownum",
        "level",
        "uid",
        "sessiontimezone",
        "dbtimezone",
        "localtimestamp",
        "current_user",
    ]
)
_TRACEABLE = re.compile(
    r"(?i)(^|_)(phone|mobile|tel|e?mail|card|card_?no|card_?num\w*|acct_?no|account_?no|iban|addr|address|birth\w*|mbl_?telno|mbtlnum|moblphon_?no|adres|brdt|brthdy|actno|acnut_?no|psprt_?no)$"
)


def judge_read(tree: exp.Expr, findings: Findings) -> None:
    for node in tree.find_all(*_ACTS):
        if isinstance(node, exp.Lock | exp.Into | exp.Set):
            findings.add(
                Verdict.BLOCK if isinstance(node, exp.Into) else Verdict.ESCALATE, "a query that locks or writes"
            )
        else:
            findings.add(Verdict.BLOCK, "a query with a change in it")
    if isinstance(tree, exp.Select) and tree.args.get("into"):
        findings.add(Verdict.BLOCK, "a query that writes a table or file")
    if any(_always_holds(side.unnest()) for either in tree.find_all(exp.Or) for side in (either.left, either.right)):
        findings.add(Verdict.ESCALATE, "a condition that always holds")
    if may_never_end(tree):
        findings.add(Verdict.ESCALATE, "a query that may never end")
    for select in tree.find_all(exp.Select):
        _select(select, findings)


def _always_holds(part: exp.Expr) -> bool:
    """`… or 1 = 1`: whoever asks so means every row, or was made to."""
    if isinstance(part, exp.Predicate) and not isinstance(part, exp.Exists | exp.SubqueryPredicate):
        return not part.find(exp.Column, exp.Placeholder, exp.Parameter, exp.Select, exp.Null) or (
            isinstance(part, exp.EQ) and part.left == part.right
        )
    return isinstance(part, exp.Boolean | exp.Literal)


#: Settings that say how another server is logged in to.
_LOGINS = ("primary_conninfo", "ssl_passphrase_command")


def _is_plain_setting(select: exp.Select) -> bool:
    """No values are shown, or those of settings that are named and aren't a log-in."""
    if not any(item.is_star or "setting" in item.sql().lower() for item in select.expressions):
        return True
    return any(_names_settings(part) for part in conjuncts(select.args.get("where")))


def _names_settings(part: exp.Expr) -> bool:
    if not isinstance(part, exp.EQ | exp.In | exp.Like) or not isinstance(part.this, exp.Column):
        return False
    values = [value.name for value in part.find_all(exp.Literal)]
    patterns = [re.escape(value).replace("%", ".*").replace("_", ".") for value in values]
    return bool(values) and not any(re.fullmatch(p, name, re.IGNORECASE) for p in patterns for name in _LOGINS)


def full_name(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts) if table.parts else table.name


def _select(select: exp.Select, findings: Findings) -> None:
    sources = [select.args.get("from_") or select.args.get("from"), *(select.args.get("joins") or [])]
    tables = [source.this for source in sources if source is not None and isinstance(source.this, exp.Table)]
    names = [full_name(table) for table in tables]
    for name, table in zip(names, tables, strict=True):
        if SECRET_TABLES.search(name):
            findings.add(Verdict.BLOCK, f"reads secrets of {name[:40]}")
        if HOLD_SETTINGS.search(name) and not _is_plain_setting(select):
            findings.add(Verdict.BLOCK, f"reads secrets of {name[:40]}")
        if not isinstance(table.this, exp.Identifier) and not isinstance(table.this, exp.Func):
            findings.add(Verdict.ESCALATE, "a source that isn't a table")
        if "@" in name or len(table.parts) > 3:
            findings.add(Verdict.BLOCK, "reads from another database")
    _columns(select, tables, names, findings)
    joins = select.args.get("joins") or []
    free = [
        join for join in joins if not (join.args.get("on") or join.args.get("using") or _is_asked_by_row(join.this))
    ]
    if free and not select.args.get("where"):
        findings.add(Verdict.ESCALATE, "joins everything with everything")


def _is_asked_by_row(source: exp.Expr) -> bool:
    """`CROSS APPLY sys.dm_exec_sql_text(r.sql_handle)`: a function, and not a table."""
    return isinstance(source, exp.Lateral) and not isinstance(source.this, exp.Subquery)


def _columns(select: exp.Select, tables: list[exp.Table], names: list[str], findings: Findings) -> None:
    shown = [column for item in select.expressions for column in item.find_all(exp.Column)]
    aliases = {table.alias_or_name.lower() for table in tables}
    is_star = any(
        isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star))
        for item in select.expressions
    )
    is_row = any(column.name.lower() in aliases and not column.table for column in shown)
    is_all = is_star or is_row
    everything = [
        *shown,
        *(
            column
            for part in ("where", "group", "having")
            if select.args.get(part)
            for column in select.args[part].find_all(exp.Column)
        ),
    ]
    if [name.lower() for name in names] == ["dual"] and any(column.name.lower() not in _PSEUDO for column in shown):
        findings.add(Verdict.ESCALATE, "a name that may be a function")
    is_hash_shown = is_star and any(HOLD_HASHES.search(name) for name in names)
    if is_hash_shown or any(SECRET_COLUMNS.search(column.name) for column in everything):
        findings.add(Verdict.BLOCK, "reads columns with secrets")
    is_bounded = has_key(select.args.get("where"))
    personal = [
        name for name in names if PERSONAL_TABLES.search(name.split(".")[-1]) and not SYSTEM_TABLES.search(name)
    ]
    # What comes out under names that say what it is, and of no other query that gives them other names, can be masked.
    is_sight = select.parent is None and not is_row and all(map(_is_named_so, select.expressions))
    if personal and is_all:
        verdict = Verdict.ESCALATE if is_bounded else Verdict.BLOCK
        findings.add(verdict, f"reads all of {personal[0][:40]}", is_sight=is_sight)
    elif (
        personal
        and any(PERSONAL_COLUMNS.search(c.name) and not c.find_ancestor(exp.Count) for c in shown)
        and not is_bounded
    ):
        findings.add(Verdict.BLOCK, f"reads personal data of {personal[0][:40]}", is_sight=is_sight)
    elif personal and not _is_sum(select) and not is_bounded and not select.args.get("limit"):
        findings.add(Verdict.ESCALATE, f"reads many rows of {personal[0][:40]}")
    is_traced = any(_TRACEABLE.search(c.name) and not c.find_ancestor(exp.Count) for c in shown)
    if is_traced and not is_bounded and not personal and not all(map(SYSTEM_TABLES.search, names)):
        findings.add(Verdict.ESCALATE, "reads personal data of many")
    business = [name for name in names if BUSINESS_TABLES.search(name.split(".")[-1])]
    if business and is_all and not select.args.get("where") and not select.args.get("limit"):
        findings.add(Verdict.ESCALATE, f"reads all of {business[0][:40]}")


def _is_named_so(item: exp.Expr) -> bool:
    """A column of people's data comes out under a name that says so: what is masked is found by it."""
    is_personal = any(PERSONAL_COLUMNS.search(column.name) for column in item.find_all(exp.Column))
    return not is_personal or is_hidden_column(item.alias_or_name)


def _is_sum(select: exp.Select) -> bool:
    """Only figures over many rows."""
    return bool(select.args.get("group")) or all(item.find(exp.AggFunc) for item in select.expressions)


def conjuncts(where: exp.Expr | None) -> list[exp.Expr]:
    """The parts that must all hold."""
    if where is None:
        return []
    condition = where.this if isinstance(where, exp.Where) else where
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        return [*conjuncts(condition.left), *conjuncts(condition.right)]
    return [condition]


def has_key(where: exp.Expr | None) -> bool:
    """A column must equal a fixed value, or one of a few."""
    return any(_is_key(part) for part in conjuncts(where))


def _is_key(part: exp.Expr) -> bool:
    if isinstance(part, exp.EQ):
        sides = (part.left, part.right)
        return any(isinstance(side, exp.Column) for side in sides) and any(
            isinstance(side, exp.Literal | exp.Placeholder | exp.Parameter) for side in sides
        )
    if isinstance(part, exp.In):
        values = part.expressions
        return (
            isinstance(part.this, exp.Column)
            and 0 < len(values) <= 100
            and all(isinstance(value, exp.Literal) for value in values)
        )
    return False
