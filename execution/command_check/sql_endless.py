"""Queries that may never end: recursion without a bottom."""

import re

from sqlglot import exp

_MOST_ROUNDS = 100_000
#: A column that names the row above; others may lead round in a circle.
_LEADS_UP = re.compile(
    r"(?i)parent|upper|super|prnt|hgrk|manager|boss|(^|_)(up\w{0,3}|p|mgr|root)(_|id|no|cd|code|$)|^pid$|상위|부모"
)


_WIDE = re.compile(r"(?i)\b[lr]pad\s*\([^()]*,\s*\d{7,}")  # one row as large as the memory
_SERIES = re.compile(
    r"(?i)\bgenerate_series\s*\(\s*(?:-?\d{1,5}\s*,\s*-?\d{1,5}\s*(?:,\s*-?[1-9]\d{0,4}\s*)?"
    r"|(?:[^()]|\(\))*,(?:[^()]|\(\))*,\s*(?:interval\s*)?'[1-9]\d* (?:day|week|mon|month|year)s?'(?:::interval)?\s*)\)"
)
_LEVELS = re.compile(r"(?i)\bprior\b|\b(?:level|rownum)\s*<=?\s*\d{1,5}(?!\d)")


def asks_for_too_much(text: str) -> bool:
    """By the text alone: rows, or one row, without a bound that somebody could mean."""
    series = len(re.findall(r"(?i)\bgenerate_series\b", text))
    levels = re.split(r"(?i)\bconnect\s+by\b", text)[1:]
    return bool(
        _WIDE.search(text)
        or (series and (series > 1 or not _SERIES.search(text)))
        or not all(map(_LEVELS.search, levels))
    )


def may_never_end(tree: exp.Expr) -> bool:
    return any(
        not _ends(cte)
        for named in tree.find_all(exp.With)
        if named.args.get("recursive")
        for cte in named.expressions
        if _sources(cte.this, cte.alias)
    )


def _ends(cte: exp.Expr) -> bool:
    """One part to begin with, and one that goes down a tree or counts up to a bound."""
    body = cte.this
    if not isinstance(body, exp.Union) or not isinstance(body.right, exp.Select) or _sources(body.left, cte.alias):
        return False
    step = body.right
    own = _sources(step, cte.alias)
    joins = [*(step.args.get("joins") or [])]
    direct = [source.this for source in (step.args.get("from_") or step.args.get("from"), *joins) if source is not None]
    if (
        len(own) != 1
        or not any(table is own[0] for table in direct)
        or any(join.side or join.kind in ("FULL", "CROSS") for join in joins)
    ):
        return False
    alias = own[0].alias_or_name.lower()
    names = [column.name.lower() for column in cte.args["alias"].columns] or [
        item.alias_or_name.lower() for item in body.left.selects
    ]
    values = dict(zip(names, step.selects, strict=False))
    conditions = [part for join in joins for part in _parts(join.args.get("on"))] + _parts(step.args.get("where"))
    return any(_goes_on(condition, alias, values, is_alone=len(direct) == 1) for condition in conditions)


def _parts(condition: exp.Expr | None) -> list[exp.Expr]:
    condition = condition.this if isinstance(condition, exp.Where) else condition
    return [] if condition is None else list(condition.flatten()) if isinstance(condition, exp.And) else [condition]


def _goes_on(condition: exp.Expr, alias: str, values: dict[str, exp.Expr], *, is_alone: bool) -> bool:
    left, right = condition.args.get("this"), condition.args.get("expression")
    if isinstance(condition, exp.EQ) and isinstance(left, exp.Column) and isinstance(right, exp.Column):
        own, other = (left, right) if left.table.lower() == alias else (right, left)
        then = _bare(values.get(own.name.lower()))
        return (
            own.table.lower() == alias
            and other.table.lower() not in ("", alias)
            and isinstance(then, exp.Column)
            and then.table.lower() == other.table.lower()
            and then.name.lower() != other.name.lower()
            and _LEADS_UP.search(other.name) is not None
        )
    if isinstance(condition, exp.LT | exp.LTE) and isinstance(left, exp.Column) and isinstance(right, exp.Literal):
        then = _bare(values.get(left.name.lower()))
        return (
            is_alone
            and right.is_int
            and int(right.name) <= _MOST_ROUNDS
            and isinstance(then, exp.Add)
            and isinstance(then.this, exp.Column)
            and then.this.name.lower() == left.name.lower()
            and isinstance(then.expression, exp.Literal)
            and then.expression.is_int
            and int(then.expression.name) > 0
        )
    return False


def _bare(item: exp.Expr | None) -> exp.Expr | None:
    return item.this if isinstance(item, exp.Alias) else item


def _sources(tree: exp.Expr, name: str) -> list[exp.Table]:
    return [table for table in tree.find_all(exp.Table) if table.name.lower() == name.lower()]
