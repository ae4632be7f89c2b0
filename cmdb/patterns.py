"""Names that follow from a server: `{hostname}`, `was-{number:02}`. Pure; nothing is evaluated."""

import re
from typing import Any

_PLACE = re.compile(r"\{(hostname|number|group|system|address|port)(?::0([1-9]))?\}")
_NAME = re.compile(r"[A-Za-z0-9._:-]{0,255}")
_WORD = re.compile(r"[A-Za-z0-9._:/=,@+-]{0,255}")
_VALUE = re.compile(r"[A-Za-z0-9.:][A-Za-z0-9._:-]{0,127}")


def is_pattern(text: str) -> bool:
    """A name with known placeholders; it begins with no dash."""
    return bool(text) and not text.startswith("-") and bool(_NAME.fullmatch(_PLACE.sub("", text)))


def is_word_pattern(text: str) -> bool:
    """A plain word of a command with known placeholders; an option may be one."""
    return bool(text) and bool(_WORD.fullmatch(_PLACE.sub("", text)))


def filled(pattern: str, server: Any) -> str:
    """The pattern with the server's own values. Raises ValueError where one of them is missing or no plain name."""
    values = {
        "hostname": server.hostname,
        "number": server.number,
        "group": server.redundancy_group,
        "system": server.system.code,
        "address": server.address,
        "port": server.http_port,
    }

    def value(match: re.Match[str]) -> str:
        text = str(values[match[1]])
        text = text.rjust(int(match[2]), "0") if match[2] and text else text
        if not _VALUE.fullmatch(text):
            raise ValueError(f"{match[1]} “{text[:80]}” is no plain name")
        return text

    return _PLACE.sub(value, pattern)
