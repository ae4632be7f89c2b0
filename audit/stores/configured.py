"""The stores of this installation: the directory always, and the witnesses that GUARDIA_CHECKPOINT_WITNESSES names."""

from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from audit.stores.base import Store
from audit.stores.directory import DirectoryStore
from audit.stores.s3 import S3Store
from audit.stores.witnesses import MailStore, SyslogStore

_KINDS: dict[str, type[SyslogStore] | type[MailStore] | type[S3Store]] = {
    "syslog+udp": SyslogStore,
    "syslog+tcp": SyslogStore,
    "smtp": MailStore,
    "smtps": MailStore,
    "s3+https": S3Store,
    "s3+http": S3Store,
}


def directory() -> DirectoryStore:
    path = Path(settings.GUARDIA_CHECKPOINT_DIR or settings.GUARDIA_HOME / "checkpoints")
    return DirectoryStore(path, append_only=settings.GUARDIA_CHECKPOINT_APPEND_ONLY)


def configured() -> list[Store]:
    return [directory(), *(_witness(urlsplit(url)) for url in settings.GUARDIA_CHECKPOINT_WITNESSES)]


def _witness(url: SplitResult) -> Store:
    if url.scheme not in _KINDS or not url.hostname:
        raise ValueError(f"GUARDIA_CHECKPOINT_WITNESSES: no such kind of store: {url.scheme!r}")
    return _KINDS[url.scheme](url, settings.GUARDIA_WITNESS_SECONDS)


def is_known(url: str) -> bool:
    """Whether a witness can be made of this URL (system check)."""
    parts = urlsplit(url)
    return parts.scheme in _KINDS and bool(parts.hostname)
