"""The error tree: stable, distinct codes, and words for people."""

from collections.abc import Iterator

import pytest
from django.conf import settings

from execution.ssh.exceptions import ChangedHostKey, JumpFailed, SshError, UnknownHostKey


def _tree(root: type[SshError]) -> Iterator[type[SshError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


def _make(kind: type[SshError]) -> SshError:
    if issubclass(kind, ChangedHostKey):
        return kind(offered="SHA256:new", pinned="SHA256:old")
    if issubclass(kind, UnknownHostKey):
        return kind(offered="SHA256:new")
    if issubclass(kind, JumpFailed):
        return kind(hop="jump-01", reason=UnknownHostKey(offered="SHA256:new"))
    return kind(host="was-01")


def test_every_error_has_its_own_code() -> None:
    codes = [kind.code for kind in _tree(SshError)]
    assert len(codes) == len(set(codes))


@pytest.mark.skipif(not settings.configured, reason="words need the project's settings")
@pytest.mark.parametrize("kind", list(_tree(SshError)), ids=lambda kind: kind.code)
def test_every_error_has_words_and_fingerprints_are_shown(kind: type[SshError]) -> None:
    error = _make(kind)
    assert str(error)
    for name in ("offered", "pinned", "hop"):
        assert str(error.details.get(name, "")) in str(error)
