"""A ZIP of static files becomes a tar of plain files with safe names, which every Unix can unpack without help."""

import hashlib
import os
import stat
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _

from execution.exceptions import PlanRefused
from tickets.services.store_artefact import put_in_place

_MOST_FILES = 20_000
_UTF8_NAME, _ENCRYPTED = 0x800, 0x1


def as_tar(path: Path) -> dict[str, Any]:
    """Keep the tar beside the ZIP and give its digest, size and number of files: the same ZIP gives the same tar.

    Raises PlanRefused for names that lead elsewhere, links, encryption, doubles, or more than the store's limit.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _entries(archive)
            return {**_written(archive, entries), "files": len(entries)}
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, RuntimeError) as error:
        raise _refused(_("The file is not a ZIP that can be read.")) from error


def _entries(archive: zipfile.ZipFile) -> list[tuple[str, zipfile.ZipInfo]]:
    if len(archive.infolist()) > _MOST_FILES:
        raise _refused(_("The ZIP holds more than %(count)s files.") % {"count": _MOST_FILES})
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = _name(entry)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if entry.flag_bits & _ENCRYPTED or kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _refused(_("“%(name)s” in the ZIP is not a plain file.") % {"name": name[:120]})
        if not is_safe(name.rstrip("/")):
            raise _refused(_("The name “%(name)s” in the ZIP is not allowed.") % {"name": ascii(name)[1:121]})
        if name.endswith("/"):
            continue
        if name in found:
            raise _refused(_("“%(name)s” is in the ZIP twice.") % {"name": name[:120]})
        found[name] = entry
    folders = {str(parent) for name in found for parent in Path(name).parents}
    if double := sorted(folders & set(found)):
        raise _refused(_("“%(name)s” is in the ZIP twice.") % {"name": double[0][:120]})
    if not found:
        raise _refused(_("The ZIP is empty."))
    return sorted(found.items())


def _name(entry: zipfile.ZipInfo) -> str:
    """Korean Windows writes names in CP949 and doesn't say so."""
    if entry.flag_bits & _UTF8_NAME or entry.filename.isascii():
        return entry.filename
    raw = entry.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename


def is_safe(name: str) -> bool:
    """A relative path that stays where it is unpacked, on any system, and that a line of text can hold."""
    parts = name.split("/")
    return (
        bool(name)
        and name.isprintable()
        and "\\" not in name
        and ":" not in parts[0]
        and not any(part in ("", ".", "..") or part.endswith(".guardia-new") for part in parts)
    )


def _written(archive: zipfile.ZipFile, entries: list[tuple[str, zipfile.ZipInfo]]) -> dict[str, Any]:
    folder = Path(settings.GUARDIA_ARTEFACTS)
    handle, draft = tempfile.mkstemp(dir=folder, prefix=".tree-")
    try:
        with os.fdopen(handle, "w+b") as file:
            _fill(file, archive, entries)
            size = file.tell()
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        put_in_place(Path(draft), digest)
    finally:
        Path(draft).unlink(missing_ok=True)
    return {"tree_sha256": digest, "tree_size": size}


def _fill(file: IO[bytes], archive: zipfile.ZipFile, entries: list[tuple[str, zipfile.ZipInfo]]) -> None:
    left = settings.GUARDIA_ARTEFACT_LIMIT
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, entry in entries:
            left -= entry.file_size
            if left < 0:
                raise _refused(_("The ZIP is too large when it is unpacked."))
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = entry.file_size, 0o644, 0
            try:
                with archive.open(entry) as content:
                    tar.addfile(member, content)
            except ValueError as error:  # longer than the oldest tar can hold
                raise _refused(_("The name “%(name)s” in the ZIP is too long.") % {"name": name[:120]}) from error
            except OSError as error:
                raise _refused(_("The file is not a ZIP that can be read.")) from error


def _refused(message: str) -> PlanRefused:
    return PlanRefused(message, code="archive_refused")
