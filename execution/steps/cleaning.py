"""Steps that make room: old files into a trash from where they can come back, logs rotated. Nothing else is removed."""

from execution.steps.arguments import BadArgument, absolute, between
from execution.steps.ops import Step, change, check
from execution.steps.scripts import scripted

_FEWEST_DAYS = 1


def count_old(*, folder: str, trash: str, days: int, allowed: list[str], names: str = "*") -> Step:
    """How many files and bytes `clean_old` would move; refused outside of the allowed folders."""
    return check("count_old", scripted("clean", "count", *_where(folder, trash, days, names, allowed), seconds=600))


def clean_old(*, folder: str, trash: str, days: int, allowed: list[str], names: str = "*", seconds: int = 3600) -> Step:
    """Files older than `days` whole days lie in the trash, below the same names. Links are left alone."""
    at = _where(folder, trash, days, names, allowed)
    return change(
        "clean_old",
        scripted("clean", "move", *at, seconds=seconds),
        probe=[scripted("clean", "is", *at, seconds=seconds)],
        undo=[scripted("clean", "restore", *at, seconds=seconds)],
    )


def restore_trash(*, folder: str, trash: str, allowed: list[str], seconds: int = 3600) -> Step:
    """What `clean_old` took is back, unless something new has its name."""
    at = _where(folder, trash, _FEWEST_DAYS, "*", allowed)
    restore = scripted("clean", "restore", *at, seconds=seconds)
    return change("restore_trash", restore, probe=[restore])


def purge_trash(*, trash: str, days: int, seconds: int = 3600) -> Step:
    """What has lain in the folder of trashes for longer is gone for good; there is no way back."""
    at = (absolute(trash), absolute(trash), str(between(days, _FEWEST_DAYS, 3650)), "*")
    purge = scripted("clean", "purge", *at, seconds=seconds)
    return change("purge_trash", purge, probe=[purge])


def rotate_log(*, path: str, archive: str, seconds: int = 600) -> Step:
    """The log begins anew and its old part is `archive`.gz; its writer needs no restart (copy, then truncate)."""
    at = (absolute(path), absolute(archive))
    return change(
        "rotate_log",
        scripted("rotate", "rotate", *at, seconds=seconds),
        probe=[scripted("rotate", "is", *at)],
        undo=[scripted("rotate", "undo", *at, seconds=seconds)],
    )


def _where(folder: str, trash: str, days: int, names: str, allowed: list[str]) -> tuple[str, ...]:
    roots = [absolute(root) for root in allowed]
    if not roots or "/" in roots:
        raise BadArgument("the folders where cleaning is allowed must be named")
    if not names or "/" in names or not names.isprintable():
        raise BadArgument("names is a pattern like *.log")
    return (absolute(folder), absolute(trash), str(between(days, _FEWEST_DAYS, 3650)), names, *roots)
