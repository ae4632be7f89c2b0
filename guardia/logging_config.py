"""What is logged where: the console, and three files of JSON lines that all processes of a home share."""

from pathlib import Path
from typing import Any

_QUIET = {
    "paramiko": {"level": "CRITICAL"},
    "django_auth_ldap": {"level": "ERROR"},  # it names whatever was typed as a name
    "axes": {"level": "ERROR"},  # the chain tells it better
    "httpx": {"level": "WARNING"},
}


def logging_config(folder: Path, *, level: str, max_bytes: int, days: int, keep: int) -> dict[str, Any]:
    """`server.jsonl` has everything that the processes say, `intake.jsonl` what people sent, `parser.jsonl` what was
    understood. The last two aren't for the console, nor bound to the level: they are a record."""
    common = {"formatter": "json", "filters": ["mask"]}

    def file(name: str) -> dict[str, Any]:
        path = {"path": str(folder / f"{name}.jsonl"), "max_bytes": max_bytes, "days": days, "keep": keep}
        return {"class": "guardia.common.log_files.SharedFileHandler", **path, **common}

    records = {"level": "INFO", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"mask": {"()": "guardia.common.logs.MaskingFilter"}},
        "formatters": {"json": {"()": "guardia.common.logs.JsonFormatter"}},
        "handlers": {
            "console": {"class": "logging.StreamHandler", **common},
            **{name: file(name) for name in ("server", "intake", "parser")},
        },
        "root": {"handlers": ["console", "server"], "level": level},
        "loggers": {
            "django-q": {"level": "WARNING", "handlers": ["console", "server"], "propagate": False},
            "guardia.intake": {"handlers": ["intake"], **records},
            "guardia.parser": {"handlers": ["parser"], **records},
            **_QUIET,
        },
    }
