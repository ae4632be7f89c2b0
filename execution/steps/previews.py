"""What a dry run asks a host about a step of a plan, and what the answer says. Pure.

Only what certainly changes nothing is asked: commands of the step library, by their exact text and what they are told
to do. A script of the institution's own is never run for a look, and no query whose rows would be the work itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from execution.steps import files, service
from execution.steps.ops import Op, Step, shell
from execution.steps.saving import asked_by
from execution.steps.scripts import SCRIPTS, scripted

#: A script of ours → what it may be told to do (its first word), where that decides whether it only reads.
_READING: Mapping[str, frozenset[str] | None] = {
    **dict.fromkeys((files._FREE_MIB, files._SHA256, service._PID, service._LIVE_PID, service._SIZE), None),
    **dict.fromkeys((SCRIPTS[name] for name in ("disk", "facts", "lines", "memory", "sum", "tree")), None),
    SCRIPTS["backup"]: frozenset(("is",)),
    SCRIPTS["clean"]: frozenset(("count", "is")),
    SCRIPTS["config"]: frozenset(("is",)),
    SCRIPTS["cron"]: frozenset(("is", "gone")),
    SCRIPTS["haproxy"]: frozenset(("was", "others", "is_out", "sessions")),
    SCRIPTS["nginx"]: frozenset(("was", "others", "is")),
    SCRIPTS["port"]: frozenset(("bits",)),
    SCRIPTS["rotate"]: frozenset(("is",)),
}
#: Steps that only look and whose answer tells whether the work would come that far. Others that look are the work.
_ASKED = frozenset(
    ("scan", "check_disk", "check_port", "check_disk_use", "check_memory", "health", "http_check", "wait_tcp",
     "check_tls", "count_old", "sql_ready", "sql_count")
)  # fmt: skip
_LONGEST_LOOK = 15  # seconds; only a tree or a count may take as long as its step
Kind = Literal["holds", "value", "state", "lines", "tree", "look"]


@dataclass(frozen=True, slots=True)
class Preview:
    """`kind`: how the answer is read. holds: the step's own probe; value: a digest, beside `then`; state: the process
    in a PID file; lines: of a file, beside `then`; tree: files, beside the archive's; look: a check."""

    kind: Kind
    ops: Sequence[Op]
    then: str = ""
    delete: bool = False


class Finding(TypedDict):
    """What a dry run says of one step. `verdict`: same, changes, looks (it was well), stops (a check wouldn't be met),
    unseen (nothing can be said beforehand)."""

    step: str
    verdict: Literal["same", "changes", "looks", "stops", "unseen"]
    now: str
    then: str
    lines: list[str]


def finding(step: str, verdict: Any, now: str = "", then: str = "", lines: Sequence[str] = ()) -> Finding:
    return {"step": step, "verdict": verdict, "now": now, "then": then, "lines": list(lines)}


def preview_of(step: Step) -> Preview | None:
    """None where nothing can be asked without doing it."""
    name = step["name"]
    if name in _OWN:
        own: Preview | None = _OWN[name](step)
        return own
    if not step["changes"]:
        ops = [op for op in step["apply"] if name in _ASKED and only_reads(op) and not asked_by(op)]
        return Preview("look", _hurried(ops)) if ops else None
    probe = list(step["probe"] or ())
    if probe and all(only_reads(op) and not asked_by(op) for op in probe):
        return Preview("holds", _hurried(probe))
    return None


def only_reads(op: Op) -> bool:
    if op["op"] in ("tcp", "http", "tls", "facts"):
        return True
    if op["op"] == "sql":
        return "asked" not in op and op["show"] == "text"
    if op["op"] != "exec":
        return False
    argv = list(op["argv"])
    if argv[:2] == ["test", "-e"] or argv[:3] == ["test", "!", "-e"]:
        return True
    if argv[:2] != ["sh", "-c"] or len(argv) < 5 or argv[3] != "guardia" or argv[2] not in _READING:
        return False
    told = _READING[str(argv[2])]
    return told is None or argv[4] in told


def tree_changes(said: str, archive: Mapping[str, str], *, delete: bool) -> list[str]:
    """What a synchronisation would do: “+ name”, “~ name”, “- name”. `said`: the output of `tree.sh`; `archive`: name →
    SHA-256."""
    there: dict[str, str] = {}
    for line in said.splitlines():
        digest, _blanks, name = line.partition("  ")
        if len(digest) == 64 and name.startswith("./"):
            there[name[2:]] = digest
    lines = [f"+ {name}" for name in sorted(archive) if name not in there]
    lines += [f"~ {name}" for name in sorted(archive) if name in there and there[name] != archive[name]]
    return lines + ([f"- {name}" for name in sorted(there) if name not in archive] if delete else [])


def answered(name: str, preview: Preview, said: str, problem: str, drift: Sequence[Any] = ()) -> Finding:
    """What the answer to all but a tree says. `said`: the output; `problem`: the expectation that wasn't met."""
    first = (said.split() or [""])[0]
    if preview.kind == "holds":
        return finding(name, "changes" if problem else "same")
    if preview.kind == "value":
        now = first if len(first) == 64 else ""
        return finding(name, "same" if now == preview.then else "changes", now, preview.then)
    if preview.kind == "state":
        return finding(name, "changes" if first.isdigit() else "same", f"PID {first}" if first.isdigit() else "")
    if preview.kind == "lines":
        now = said.strip()
        is_same = [line.strip() for line in now.splitlines()] == [preview.then.strip()]
        return finding(name, "same" if is_same else "changes", now, preview.then)
    differences = "; ".join(f"{one['fact']}: {one['expected']} → {one['found'] or '-'}" for one in drift)
    return finding(name, "stops" if problem else "looks", problem or differences or said.strip())


def _hurried(ops: Iterable[Op]) -> list[Any]:
    """Asked once: nobody waits for something to come true."""
    found: list[Any] = [{key: value for key, value in op.items() if key not in ("pause_ms", "save")} for op in ops]
    return [
        {**op, "seconds": min(op["seconds"], _LONGEST_LOOK)} if op["op"] in ("tcp", "http", "tls") else op
        for op in found
    ]


def _words(step: Step) -> list[str]:
    """Of the script that is the step's first operation, behind its name."""
    return [str(part) for part in _first(step)["argv"][4:]]


def _first(step: Step) -> Any:
    return step["apply"][0]


def _value(path: str, then: str) -> Preview:
    return Preview("value", [scripted("sum", path, expect={"any_exit": True}, seconds=120)], then)


def _swap(step: Step) -> Preview:
    _incoming, path = _first(step)["argv"][-2:]
    return _value(path, _expected(step))


def _replace(step: Step) -> Preview:
    return _value(_words(step)[1], _expected(step))


def _expected(step: Step) -> str:
    """The digest that the step's probe asks for: the first word of its answer."""
    return next(
        str(op["expect"]["equals"]).split()[0]
        for op in step["probe"] or ()
        if op["op"] == "exec" and "equals" in op["expect"]
    )


def _stop(step: Step) -> Preview:
    pid_file = _first(step)["argv"][4]
    return Preview("state", [shell(service._LIVE_PID, pid_file, expect={"any_exit": True})])


def _config(step: Step) -> Preview:
    """An empty key: the line is added where it isn't."""
    _set, path, key, text, *_more = _words(step)
    return Preview("lines", [scripted("lines", path, key or text)], text)


def _drain(step: Step) -> Preview | None:
    ops = [op for op in step["apply"] if only_reads(op) and not asked_by(op)]
    return Preview("look", _hurried(ops)) if ops else None


def _sync(step: Step) -> Preview:
    _apply, _archive, _stage, root, _kept, delete = _words(step)
    return Preview("tree", [scripted("tree", root, seconds=_first(step)["seconds"])], delete=delete == "yes")


def _nothing(_step: Step) -> None:
    """It works on what another step brings, or there is nothing to be told apart."""


_OWN: Mapping[str, Any] = {
    "swap": _swap,
    "replace_file": _replace,
    "install_certificate": _replace,
    "stop": _stop,
    "config_line": _config,
    "drain": _drain,
    "static_sync": _sync,
    "clean_old": _nothing,
    **dict.fromkeys(("upload", "start", "undrain", "script", "hook", "tidy"), _nothing),
}
