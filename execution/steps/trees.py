"""Steps on folders: a site's static files, and back-ups of what lies below a path."""

from execution.steps.arguments import absolute
from execution.steps.ops import Step, change, run
from execution.steps.scripts import scripted


def static_sync(*, archive: str, stage: str, root: str, kept: str, delete: bool = False, seconds: int = 600) -> Step:
    """The files of the archive (tar) lie below `root`: only those that differ are written, each by a rename.

    What was there is kept at `kept` until it is undone. `delete` also takes away what the archive doesn't have.
    """
    at = (absolute(archive), absolute(stage), absolute(root), absolute(kept), "yes" if delete else "no")
    return change(
        "static_sync",
        scripted("sync", "apply", *at, seconds=seconds),
        probe=[scripted("sync", "is", *at, seconds=seconds)],
        undo=[scripted("sync", "undo", *at, seconds=seconds)],
    )


def tidy(*, paths: list[str]) -> Step:
    """Work files and folders of this task are gone: uploaded archives and unpacked copies, nothing of the service."""
    names = [absolute(path) for path in paths]
    return change("tidy", run("rm", "-rf", "--", *names, seconds=120), probe=[run("rm", "-rf", "--", *names)])


def back_up_tree(*, path: str, archive: str, seconds: int = 3600) -> Step:
    """`path` is kept as tar.gz, read back, with its SHA-256 beside it."""
    at = (absolute(path), absolute(archive))
    return change(
        "back_up_tree",
        scripted("backup", "make", *at, seconds=seconds),
        probe=[scripted("backup", "is", *at, seconds=seconds)],
        undo=[scripted("backup", "undo", *at)],
    )
