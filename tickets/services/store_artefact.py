import contextlib
import fcntl
import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from guardia.common.errors import Unavailable
from tickets.exceptions import ArtefactTooLarge
from tickets.models.artefact import stored_path

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredFile:
    name: str
    size: int
    sha256: str


def store_artefact(upload: UploadedFile) -> StoredFile:
    """Stream an upload into the content-addressed store; memory stays flat. Raises ArtefactTooLarge (413).

    A file whose task is then refused stays without a row until a night removes it (`execution.orphans`).
    """
    try:
        return _store(upload, Path(settings.GUARDIA_ARTEFACTS))
    except OSError as error:
        logger.exception("the artefact store can't be written")
        raise Unavailable(_("The file could not be stored. Please tell the operators."), code="store_away") from error


def _store(upload: UploadedFile, folder: Path) -> StoredFile:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    handle, draft = tempfile.mkstemp(dir=folder, prefix=".upload-")
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in upload.chunks():
                size += len(chunk)
                if size > settings.GUARDIA_ARTEFACT_LIMIT:
                    limit = settings.GUARDIA_ARTEFACT_LIMIT // (1024 * 1024)
                    raise ArtefactTooLarge(_("The file is larger than %(limit)s MiB.") % {"limit": limit})
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(Path(draft), digest.hexdigest())
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(draft).unlink()
    return StoredFile(name=_shown_name(upload.name or ""), size=size, sha256=digest.hexdigest())


def put_in_place(draft: Path, digest: str) -> None:
    """A finished draft becomes the file with this digest, fresh again if it was there."""
    target = stored_path(digest)
    target.parent.mkdir(mode=0o700, exist_ok=True)
    with _held(fcntl.LOCK_SH):
        draft.replace(target)


def remove_unless_fresh(path: Path, before: float) -> int:
    """Remove a file that nobody has stored since `before` (seconds of the epoch); returns the bytes that it had.

    Nothing is put in place between the look and the removal.
    """
    with _held(fcntl.LOCK_EX):
        try:
            status = path.stat()
            if status.st_mtime >= before:
                return 0
            path.unlink()
        except FileNotFoundError:
            return 0
    return status.st_size


@contextlib.contextmanager
def _held(how: int) -> Iterator[None]:
    """The store's lock, on every machine that shares it."""
    handle = os.open(Path(settings.GUARDIA_ARTEFACTS) / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


def _shown_name(given: str) -> str:
    """The last part of the given name, printable and bounded: it is only ever shown."""
    last = PurePosixPath(given.replace("\\", "/")).name
    return "".join(char for char in last if char.isprintable())[:255] or "artefact"
