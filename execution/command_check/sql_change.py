"""Changes of rows: routine only on technical tables, and only where it is certain that few are meant."""

import datetime as dt
import re

from sqlglot import exp

from execution.command_check.sql_read import conjuncts, full_name, has_key, judge_read
from execution.command_check.verdict import Findings, Verdict

_TIMES = (exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentDatetime)


def judge_change(tree: exp.Expr, technical: frozenset[str], findings: Findings) -> None:
    if tree.args.get("with_") or tree.args.get("with") or tree.find(exp.CTE):
        findings.add(Verdict.BLOCK, "a change behind a named query")
    if tree.args.get("returning"):
        findings.add(Verdict.ESCALATE, "a change that shows what it changed")
    if isinstance(tree, exp.Insert):
        _insert(tree, technical, findings)
        return
    where = tree.args.get("where")
    target = tree.this
    name = full_name(target).lower() if isinstance(target, exp.Table) else ""
    if not name or tree.args.get("using") or tree.args.get("from_") or tree.args.get("from") or tree.args.get("tables"):
        findings.add(Verdict.BLOCK, "a change of several tables")
    elif not _is_bounded(where, is_delete=isinstance(tree, exp.Delete)):
        findings.add(Verdict.BLOCK, f"changes all rows of {name[:40]}, or nobody knows how many")
    elif name not in technical:
        findings.add(Verdict.ESCALATE, f"changes rows of {name[:40]}")
    if tree.find(exp.Select):
        findings.add(Verdict.ESCALATE, "a change with a query in it")
    for item in tree.args.get("expressions") or ():
        if not isinstance(item, exp.EQ) or not _is_fixed(item.right):
            findings.add(Verdict.ESCALATE, "sets values that aren't fixed")


def _is_bounded(where: exp.Expr | None, *, is_delete: bool) -> bool:
    """A key, or (for old rows) an age. “or”, “not” and comparisons of a column with itself say nothing."""
    parts = conjuncts(where)
    if any(part.find(exp.Or, exp.Not, exp.Subquery, exp.Exists) for part in parts):
        return False
    return has_key(where) or any(_is_age(part) for part in parts if isinstance(part, exp.LT | exp.LTE))


def _is_age(part: exp.Expr) -> bool:
    """`column < a moment in the past`."""
    if not isinstance(part, exp.LT | exp.LTE) or not isinstance(part.left, exp.Column):
        return False
    moment = part.right
    while isinstance(moment, exp.Cast | exp.Paren | exp.TsOrDsToDate | exp.StrToTime | exp.StrToDate | exp.Date):
        moment = moment.this
    if isinstance(moment, exp.Literal):
        match = re.match(r"(\d{4})-?(\d{2})-?(\d{2})", moment.name)
        return bool(moment.is_string and match) and moment.name[:10] < dt.date.today().isoformat()
    if isinstance(moment, exp.Sub):
        now, less = moment.left, moment.right
        is_now = isinstance(now, _TIMES) or (
            isinstance(now, exp.Column) and now.name.lower() in ("sysdate", "systimestamp")
        )
        amount = less.this if isinstance(less, exp.Interval) else less
        return is_now and isinstance(amount, exp.Literal) and not amount.name.lstrip().startswith(("0", "-"))
    return isinstance(moment, exp.DateSub) and isinstance(moment.this, _TIMES)


def _is_fixed(value: exp.Expr) -> bool:
    return isinstance(
        value, exp.Literal | exp.Null | exp.Boolean | exp.Placeholder | exp.Parameter | exp.Neg | _TIMES[0] | _TIMES[1]
    )


def _insert(tree: exp.Insert, technical: frozenset[str], findings: Findings) -> None:
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    name = full_name(target).lower() if isinstance(target, exp.Table) else ""
    if tree.args.get("conflict") or tree.args.get("overwrite") or tree.args.get("replace"):
        findings.add(Verdict.BLOCK, "overwrites rows that are there")
    values = tree.expression
    if not isinstance(values, exp.Values):
        findings.add(Verdict.BLOCK if name in technical else Verdict.ESCALATE, "copies rows")
        if values is not None:
            judge_read(values, findings)
    elif name not in technical:
        is_money = bool(re.search(r"account|user|member|role|perm|auth|grant|admin", name))
        findings.add(Verdict.BLOCK if is_money else Verdict.ESCALATE, f"adds rows to {name[:40]}")
    elif values.find(exp.Select) or len(values.expressions) > 100:
        findings.add(Verdict.ESCALATE, "adds rows that aren't fixed")
