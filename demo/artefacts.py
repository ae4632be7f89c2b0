"""Web application archives for the loopback fleet: small, deterministic, and broken when asked to be."""

import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

_EPOCH = (2026, 1, 1, 0, 0, 0)  # a fixed time stamp: the same version gives the same bytes, so the same SHA-256
_BLOCK = 1 << 20
_PADDING = "WEB-INF/lib/padding.bin"

_WEB_XML = """<?xml version="1.0" encoding="UTF-8"?>
<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
  <display-name>demo {version}</display-name>
</web-app>
"""
_BROKEN_WEB_XML = _WEB_XML.replace("</display-name>", "")  # a valid ZIP whose descriptor isn't well-formed XML


def build_artefact(path: Path, version: str, broken: bool = False, size: int = 0) -> Path:
    """Write a WAR of `version` to `path` and return `path`.

    A `broken` one is a valid ZIP whose `web.xml` no parser accepts, so that it passes every check before the
    deployment itself. `size` (bytes) pads the file to exactly that length when it is larger than the bare archive.
    """
    _write(path, version, broken, padding=0)
    missing = size - path.stat().st_size
    if missing > 0:
        _write(path, version, broken, padding=missing)
    return path


def _write(path: Path, version: str, broken: bool, padding: int) -> None:
    descriptor = (_BROKEN_WEB_XML if broken else _WEB_XML).format(version=version)
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_STORED) as archive:
        archive.writestr(_entry("WEB-INF/web.xml"), descriptor)
        archive.writestr(_entry("WEB-INF/version.txt"), version + "\n")
        entry = _entry(_PADDING)
        entry.file_size = padding
        with archive.open(entry, "w") as out:
            for block in _blocks(version, padding):
                out.write(block)


def _entry(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, date_time=_EPOCH)


def _blocks(seed: str, total: int) -> Iterator[bytes]:
    """Noise of `total` bytes that no link compresses away, a mebibyte in memory at a time."""
    block = random.Random(seed).randbytes(min(total, _BLOCK))  # noqa: S311 - padding, not a secret
    for start in range(0, total, _BLOCK):
        yield block[: min(_BLOCK, total - start)]
