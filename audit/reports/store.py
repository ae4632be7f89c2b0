"""Where the files of reports lie: `GUARDIA_HOME/reports`, one folder for each, by digest. Nobody serves it as it is."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from django.conf import settings

from audit.exceptions import ReportFileMissing
from audit.models import Report


class Stored(NamedTuple):
    digest: str
    size: int


class Draft(NamedTuple):
    """A file that is being written, and where."""

    file: IO[bytes]
    path: Path


@contextlib.contextmanager
def draft(report: Report) -> Iterator[Draft]:
    """A file to write; gone at the end of the block unless `keep` has moved it."""
    folder = folder_of(report.pk)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".draft-")
    try:
        with os.fdopen(handle, "w+b") as file:
            yield Draft(file, Path(name))
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()


def keep(report: Report, written: Draft) -> Stored:
    """Put a written draft in its place, durably."""
    file = written.file
    file.flush()
    os.fsync(file.fileno())
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # a file opened for both
    written.path.replace(path_of(report, digest))
    return Stored(digest, size)


def open_file(report: Report) -> IO[bytes]:
    """The file of a report that is ready, found to be what was recorded. Raises ReportFileMissing."""
    try:
        file = path_of(report, report.digest).open("rb")
    except OSError as error:
        raise ReportFileMissing from error
    if hashlib.file_digest(file, "sha256").hexdigest() != report.digest:
        file.close()
        raise ReportFileMissing
    file.seek(0)
    return file


def delete_files(report_pk: int) -> None:
    shutil.rmtree(folder_of(report_pk), ignore_errors=True)


def delete_others(report: Report) -> None:
    """Drafts of workers that died, and earlier editions."""
    for path in folder_of(report.pk).iterdir():
        if path != path_of(report, report.digest):
            with contextlib.suppress(OSError):
                path.unlink()


def folder_of(report_pk: int) -> Path:
    return Path(settings.GUARDIA_HOME) / "reports" / str(report_pk)


def path_of(report: Report, digest: str) -> Path:
    return folder_of(report.pk) / f"{digest}.{report.format}"
