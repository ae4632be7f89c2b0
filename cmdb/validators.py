"""What the inventory may say: these values end in commands and in what we believe of a host."""

import base64
import binascii
import posixpath
import re
import shlex

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from cmdb.patterns import is_pattern, is_word_pattern

_DATABASE_NAME = re.compile(r"[^\W\d][\w.$-]{0,62}")
_DATABASE_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,252}|/[A-Za-z0-9/._-]{1,252}")
_PEER = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}:[1-9]\d{0,4}")
_SOCKET = re.compile(r"/[\w./-]+", re.ASCII)
_ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,31}")
_KEY_KINDS = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")


def check_host_key(line: str) -> None:
    """A public key as in known_hosts without the host: its kind, then base64 that begins with the same kind."""
    kind, _space, encoded = line.partition(" ")
    try:
        blob = base64.b64decode(encoded.split(" ")[0], validate=True)
    except (binascii.Error, ValueError):
        blob = b""
    if kind not in _KEY_KINDS or blob[4 : 4 + len(kind)] != kind.encode():
        raise ValidationError(_("“%(line)s” is not a public host key."), params={"line": line[:60]})


def check_absolute_path(path: str) -> None:
    """An absolute path that says plainly where it leads."""
    if not path.startswith("/") or posixpath.normpath(path) != path or not path.isprintable():
        raise ValidationError(_("“%(path)s” is not a plain absolute path."), params={"path": path[:60]})


def check_path_below(path: str) -> None:
    """A relative path that stays below its home."""
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or "" in parts or not path.isprintable():
        raise ValidationError(_("“%(path)s” must be a path below the home."), params={"path": path[:60]})


def check_database_name(name: str) -> None:
    """A name that no client takes for an option or for connection parameters."""
    if not _DATABASE_NAME.fullmatch(name):
        raise ValidationError(_("“%(name)s” is not a plain name of a database."), params={"name": name[:60]})


def check_database_host(host: str) -> None:
    """A host name, an address, or the absolute path of a socket."""
    if not _DATABASE_HOST.fullmatch(host):
        raise ValidationError(_("“%(host)s” is not a host name, an address or a socket."), params={"host": host[:60]})


def check_control(value: str) -> None:
    """The plain absolute path of a socket or file, or host:port."""
    if _PEER.fullmatch(value) and int(value.rpartition(":")[2]) <= 65_535:
        return
    if not _SOCKET.fullmatch(value):
        raise ValidationError(_("“%(value)s” is neither a path nor host:port."), params={"value": value[:60]})
    check_absolute_path(value)


def check_pattern(pattern: str) -> None:
    """A name with placeholders of the served server."""
    if not is_pattern(pattern):
        raise ValidationError(
            _("“%(pattern)s” is not a plain name with known places."), params={"pattern": pattern[:60]}
        )


def check_command(line: str) -> None:
    """A program by its absolute path and plain words; no shell reads it."""
    try:
        words = shlex.split(line)
    except ValueError:
        words = []
    if not words or not line.isprintable():
        raise ValidationError(_("“%(line)s” is no command."), params={"line": line[:60]})
    check_absolute_path(words[0])
    for word in words[1:]:
        if not is_word_pattern(word):
            raise ValidationError(_("“%(word)s” in a command is no plain word."), params={"word": word[:60]})


def check_plain_line(text: str) -> None:
    """One line that can be shown and compared."""
    if not text.isprintable() or text != text.strip():
        raise ValidationError(_("“%(text)s” is no plain line of text."), params={"text": text[:60]})


def check_account(name: str) -> None:
    """The name of an account on a Unix host."""
    if not _ACCOUNT.fullmatch(name):
        raise ValidationError(_("“%(name)s” is no name of an account."), params={"name": name[:60]})
