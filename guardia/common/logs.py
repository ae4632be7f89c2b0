"""Log lines as JSON, with the ids of what is going on, and with secrets masked."""

import json
import logging

from guardia.common.canonical import moment_text
from guardia.common.clock import now
from guardia.common.context import current_trace
from guardia.common.masking import mask_all


class MaskingFilter(logging.Filter):
    """Renders the message once and masks it, so that no handler behind it sees a secret."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = mask_all(record.getMessage()), ()
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message, and the ids that are known."""

    def format(self, record: logging.LogRecord) -> str:
        trace = current_trace()
        line = {
            "time": moment_text(now()),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request": trace.request_id,
            "task": trace.task_id,
            "run": trace.run_id,
        }
        if record.exc_info:
            line["traceback"] = mask_all(self.formatException(record.exc_info))
        return json.dumps({key: value for key, value in line.items() if value}, ensure_ascii=False)
