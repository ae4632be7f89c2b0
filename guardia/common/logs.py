"""Log lines as JSON, with the ids of what is going on, and with secrets and contacts hidden.

A line is one line, whatever was said in it: line feeds, terminal escapes and marks of direction are written as JSON
escapes, so that nobody forges a line or makes one read as another.
"""

import json
import logging
import os
import re
from datetime import UTC, datetime
from typing import Any

from guardia.common.canonical import moment_text
from guardia.common.context import current_trace
from guardia.common.masking import cut_short, mask_all

LONGEST_MESSAGE = 16 * 1024
_LONGEST_TRACEBACK = 32 * 1024
_CUT = " …[cut]"
#: What JSON lets stand as it is, and a terminal or a reader takes for something else.
_DECEIVING = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]")


class MaskingFilter(logging.Filter):
    """Renders the message once, bounded and masked, so that no handler behind it sees a secret."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not getattr(record, "is_masked", False):
            record.msg, record.args = _bounded(_rendered(record)), ()
            record.is_masked = True
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time (UTC), level, logger, message, process, and the ids that are known.

    `extra={"told": {…}}` adds fields of the line's own.
    """

    def format(self, record: logging.LogRecord) -> str:
        trace = current_trace()
        line: dict[str, Any] = {
            "time": moment_text(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "pid": os.getpid(),
            "request": trace.request_id,
            "task": trace.task_id,
            "run": trace.run_id,
        }
        line |= {name: _masked(value) for name, value in getattr(record, "told", {}).items() if name not in line}
        if record.exc_info:
            line["traceback"] = mask_all(self.formatException(record.exc_info)[-_LONGEST_TRACEBACK:])
        told = {key: value for key, value in line.items() if value not in ("", None)}
        return _DECEIVING.sub(_escaped, json.dumps(told, ensure_ascii=False, default=str))


def _rendered(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # a placeholder too few or too many: what there is
        return f"{record.msg} {record.args}"


def _bounded(text: str) -> str:
    return mask_all(cut_short(text, LONGEST_MESSAGE)) + (_CUT if len(text) > LONGEST_MESSAGE else "")


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return _bounded(value)
    if isinstance(value, dict):
        return {str(key): _named(str(key), item) for key, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list | tuple) else value


def _named(name: str, value: Any) -> Any:
    """A value under a name like `password` is hidden as it would be in a line of text."""
    if isinstance(value, str) and mask_all(f"{name}={value}") != f"{name}={value}":
        return mask_all(f"{name}={value}")[len(name) + 1 :]
    return _masked(value)


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
