"""The door: one command in, one judgement out."""

import re
from functools import lru_cache

from execution.command_check.context import Surroundings
from execution.command_check.shell import judge_shell
from execution.command_check.sql import judge_sql
from execution.command_check.text import look_at_text
from execution.command_check.verdict import Judgement, Verdict
from execution.command_check.windows import is_windows, judge_windows

DEFAULT = Surroundings()
_WINDOWS = ("powershell", "batch")
_KINDS = ("shell", "sql", *_WINDOWS)


@lru_cache(maxsize=8192)
def check_command(kind: str, command: str, surroundings: Surroundings = DEFAULT) -> Judgement:
    """Judge a command by its kind. Never raises: what can't be judged is an extra approval."""
    problem = look_at_text(command)
    if problem is not None:
        return problem
    if kind not in _KINDS:
        return Judgement(Verdict.ESCALATE, f"the kind isn't known: {kind[:20]!r}")
    if not command.strip():
        return Judgement(Verdict.ESCALATE, "empty")
    try:
        if kind == "sql":
            return judge_sql(command, technical=surroundings.technical_tables)
        return judge_windows(command) if kind in _WINDOWS or is_windows(command) else judge_shell(command, surroundings)
    except (RecursionError, ValueError, IndexError, KeyError, TypeError, AttributeError, re.error) as error:
        return Judgement(Verdict.ESCALATE, f"couldn't be judged ({type(error).__name__})")
