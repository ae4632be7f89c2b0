"""The verdict on the commands of a plan: made when it is built, kept in it, asked again before each command is sent.

Shape of a host's `check`: {verdict, home, programs: [path, …], files: [path, …] (only where there are some),
found: [{step, command, reason}, …]}; `found` holds what isn't allowed. `files`: what a balancer of the profile reads.
"""

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from execution.command_check.check import check_command
from execution.command_check.context import Surroundings
from execution.command_check.sql import judge_sql
from execution.command_check.text import look_at_text
from execution.command_check.verdict import Judgement, Verdict
from execution.plan.render import commands_of
from execution.ssh.quoting import render
from execution.steps.known import NAMED, REBOOT, template_of
from execution.steps.ops import Op, Step
from execution.steps.sql.client import CLIENT_SCRIPT
from execution.steps.sql.judge import PARSERS
from execution.steps.sql.looking import is_script_of
from guardia.common.errors import InvalidInput

_FINE = Judgement(Verdict.ALLOW, "one of the step library's commands, on the application's own files")
#: Never an application's, however deep; and those that are everybody's at their top.
_SYSTEM = frozenset(["bin", "boot", "dev", "etc", "lib", "lib64", "proc", "sbin", "sys"])
_SHARED = _SYSTEM | frozenset(["root", "run", "usr", "var", "home", "opt", "srv", "tmp", "mnt", "media"])
_DIGITS = "1234"  # stands for a saved value, which is digits only


@lru_cache(maxsize=4096)
def surroundings_of(home: str, programs: tuple[str, ...], files: tuple[str, ...] = ()) -> Surroundings:
    """The application's directory and its programs; a home that isn't the application's alone counts for nothing."""
    home = posixpath.normpath(home)
    parts = [part for part in home.split("/") if part]
    is_own = home.startswith("/") and bool(parts) and parts[0] not in (_SHARED if len(parts) == 1 else _SYSTEM)
    return Surroundings((home,) if is_own else (), (), programs if is_own else (), files=files)


def judge_argv(argv: Sequence[str], surroundings: Surroundings) -> Judgement:
    """One command as it will be sent."""
    return _judged(tuple(argv), surroundings)


@lru_cache(maxsize=16384)
def _judged(argv: tuple[str, ...], surroundings: Surroundings) -> Judgement:
    try:
        line = render(argv)
    except InvalidInput:
        return Judgement(Verdict.BLOCK, "not a command")
    known = template_of(argv)
    if known is None:
        return check_command("shell", line, surroundings)
    kinds, words = known
    problem = look_at_text(line)
    if problem is not None or len(words) != len(kinds):
        return problem or Judgement(Verdict.BLOCK, "a template with other words than it takes")
    return _judged_words(kinds, words, surroundings)


def _judged_words(kinds: str, words: Sequence[str], surroundings: Surroundings) -> Judgement:
    """The worst that is said of a template's words."""
    worst = _FINE
    for place, (kind, word) in enumerate(zip(kinds, words, strict=True)):
        if kind == "c":
            rest = tuple(words[place:])
            said = _FINE if rest == REBOOT else judge_argv(rest, surroundings)
        else:
            said = _judged_word(kind, word, surroundings)
        worst = max(worst, said, key=lambda judgement: judgement.verdict)
        if kind == "c":
            break
    return worst


def _judged_word(kind: str, word: str, surroundings: Surroundings) -> Judgement:
    if kind == "t" or (kind == "q" and not word):
        return _FINE
    if kind == "n":
        is_number = word.isascii() and word.isdigit()
        return _FINE if is_number else Judgement(Verdict.BLOCK, f"not a number: {word[:80]}")
    if kind == "j":
        job = word.split(None, 1 if word.startswith("@") else 5)[-1:]
        return check_command("shell", "".join(job), surroundings) if word else _FINE
    if kind == "e":
        return Judgement(Verdict.ESCALATE, "a script that isn't understood")
    if kind == "g":
        is_named = posixpath.basename(word) in NAMED
        return _FINE if is_named else Judgement(Verdict.ESCALATE, f"another program: {word[:80]}")
    if _is_own(word, surroundings):
        return _FINE
    verdict = Verdict.ESCALATE if kind == "x" else Verdict.BLOCK
    return Judgement(verdict, f"outside of the application: {word[:80]}")


def _is_own(path: str, surroundings: Surroundings) -> bool:
    normal = posixpath.normpath(path)
    is_below = any(normal == home or normal.startswith(f"{home}/") for home in surroundings.app)
    return ".." not in path.split("/") and (is_below or normal in surroundings.files)


def _ops_of(step: Step) -> Iterator[Op]:
    for part in (step["apply"], step["probe"] or (), step["undo"], step["undo_probe"]):
        yield from part


def judge_op(op: Mapping[str, Any], surroundings: Surroundings) -> Judgement | None:
    """None for what isn't a command and touches nothing."""
    if op["op"] in ("exec", "reconnect", "facts"):
        return judge_argv([part if isinstance(part, str) else _DIGITS for part in op["argv"]], surroundings)
    if op["op"] == "sql":
        return _judged_sql(op)
    if op["op"] == "upload" and not _is_own(op["path"], surroundings):
        return Judgement(Verdict.BLOCK, f"uploads to outside of the application: {op['path'][:80]}")
    return None


def _judged_sql(op: Mapping[str, Any]) -> Judgement | None:
    """A query by what it asks for. Changes are bounded by their step: judged as text, counted, kept, undone."""
    if list(op["argv"][:3]) != ["sh", "-c", CLIENT_SCRIPT]:
        return Judgement(Verdict.BLOCK, "not the script of a database's client")
    if "asked" not in op:
        return None
    if not is_script_of(op, op["asked"]):
        return Judgement(Verdict.BLOCK, "another statement is sent than the one that is judged")
    judgement = judge_sql(op["asked"], dialect=PARSERS[op["dialect"]])
    if judgement.is_sight and op["show"] == "table" and op["masked"] is True:
        return Judgement(min(judgement.verdict, Verdict.ESCALATE), judgement.reason)
    return judgement


def judge_step(step: Step, surroundings: Surroundings) -> list[dict[str, str]]:
    """What isn't allowed of one step."""
    found: list[dict[str, str]] = []
    for op in _ops_of(step):
        judgement = judge_op(op, surroundings)
        if judgement is None or judgement.verdict is Verdict.ALLOW:
            continue
        finding = {
            "step": step["name"],
            "command": commands_of([op])[0][:400],
            "verdict": judgement.verdict.word,
            "reason": judgement.reason,
        }
        if finding not in found:
            found.append(finding)
    return found


def judge_steps(
    steps: Sequence[Step],
    *,
    home: str,
    programs: Sequence[str],
    files: Sequence[str] = (),
    judged: Callable[[Step, Surroundings], list[dict[str, str]]] = judge_step,
) -> dict[str, Any]:
    """The `check` of a host; `judged` may know what was said of a step before."""
    surroundings = surroundings_of(home, tuple(programs), tuple(files))
    found: list[dict[str, str]] = []
    for step in steps:
        found += [finding for finding in judged(step, surroundings) if finding not in found]
    worst = max((Verdict[finding["verdict"].upper()] for finding in found), default=Verdict.ALLOW)
    trusted = {"programs": list(programs), **({"files": list(files)} if files else {})}
    return {"verdict": worst.word, "home": home, **trusted, "found": found}


def is_worse(argv: Sequence[str], check: Mapping[str, Any] | None) -> Judgement | None:
    """The judgement on what is about to be sent, where it is worse than what was approved with the plan.

    A plan from before there were verdicts was approved by people who read its commands: only what is refused outright
    is worse.
    """
    approved = Verdict[str(check["verdict"]).upper()] if check else Verdict.ESCALATE
    surroundings = Surroundings((), (), ())
    if check:
        surroundings = surroundings_of(check["home"], tuple(check["programs"]), tuple(check.get("files", ())))
    if check is None and template_of(argv) is not None:
        return None
    judgement = judge_argv(argv, surroundings)
    return judgement if judgement.verdict > approved or judgement.verdict is Verdict.BLOCK else None
