"""Steps on configuration: one line of a file, a whole file, a job of the crontab. Each keeps what was there."""

from collections.abc import Sequence

from execution.steps.arguments import absolute, command, line, one_of, schedule, word
from execution.steps.ops import Exec, Op, Step, change, run
from execution.steps.scripts import scripted


def config_line(
    *, path: str, key: str, text: str, backup: str, validate: Sequence[str] = (), reload: Sequence[str] = ()
) -> Step:
    """The line that begins with `key` says `text` (an empty key: the line is there). `validate` refuses → as before.

    `reload` is run afterwards, and again after the undo.
    """
    at, mark = (absolute(path), key and line(key), line(text), absolute(backup)), _mark(backup, reload)
    apply = scripted("config", "set", *at, mark, *command(validate), seconds=120)
    return _with_reload("config_line", apply, scripted("config", "is", *at, mark), path, backup, reload)


def replace_file(
    *, incoming: str, path: str, sha256: str, backup: str, validate: Sequence[str] = (), reload: Sequence[str] = ()
) -> Step:
    """The file at `path` is the one at `incoming` (with this digest), with the mode and owner it had."""
    mark = _mark(backup, reload)
    apply = scripted(
        "replace", "put", absolute(path), absolute(backup), absolute(incoming), mark, *command(validate), seconds=120
    )
    return _with_reload("replace_file", apply, scripted("sum", path, expect={"equals": sha256}), path, backup, reload)


def cron_job(*, name: str, when: str, job: str, backup: str, action: str = "set", crontab: str = "crontab") -> Step:
    """The login's crontab has this job once, under a comment that names it; a job of that name is replaced.

    With the action `remove` it is gone, as with `cron_remove`.
    """
    if one_of(action, "set", "remove") == "remove":
        return cron_remove(name=name, entry=f"{schedule(when)} {line(job)}", backup=backup, crontab=crontab)
    at = (crontab, _cron_mark(name), f"{schedule(when)} {line(job)}", absolute(backup))
    return change(
        "cron_job",
        scripted("cron", "set", *at),
        probe=[scripted("cron", "is", *at)],
        undo=[scripted("cron", "undo", *at)],
    )


def cron_remove(*, name: str, backup: str, entry: str = "", crontab: str = "crontab") -> Step:
    """The login's crontab has no job of this name, nor the line `entry` as it is written there."""
    at = (crontab, _cron_mark(name), entry and line(entry), absolute(backup))
    return change(
        "cron_remove",
        scripted("cron", "drop", *at),
        probe=[scripted("cron", "gone", *at)],
        undo=[scripted("cron", "undo", *at)],
    )


def _cron_mark(name: str) -> str:
    return f"guardia:{word(name)}"


def _mark(backup: str, reload: Sequence[str]) -> str:
    return f"{absolute(backup)}.reload" if reload else ""


def _with_reload(name: str, apply: Exec, holds: Exec, path: str, backup: str, reload: Sequence[str]) -> Step:
    """A step that isn't done before the reload is: a note on the host tells it to whoever probes."""
    back = scripted("replace", "back", absolute(path), absolute(backup))
    if not reload:
        return change(name, apply, probe=[holds], undo=[back])
    mark = _mark(backup, reload)
    again: Op = scripted("then", mark, *command(reload), seconds=120)
    return change(name, apply, again, probe=[holds, run("test", "!", "-e", mark)], undo=[back, again])
