import contextlib
import hashlib
import logging
import os
import tempfile
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

    A file whose task is then refused stays without a row; it is the same bytes for the next who brings it.
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
        target = stored_path(digest.hexdigest())
        target.parent.mkdir(mode=0o700, exist_ok=True)
        Path(draft).replace(target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(draft).unlink()
    return StoredFile(name=_shown_name(upload.name or ""), size=size, sha256=digest.hexdigest())


def _shown_name(given: str) -> str:
    """The last part of the given name, printable and bounded: it is only ever shown."""
    last = PurePosixPath(given.replace("\\", "/")).name
    return "".join(char for char in last if char.isprintable())[:255] or "artefact"
