"""What the parser says about one request."""

from dataclasses import asdict, dataclass, field
from typing import Any

CATEGORY_OF: dict[str, str] = {
    sub_type: category
    for category, sub_types in {
        "DEPLOY": ("STATIC_SYNC", "WAS_ROLLING", "CODE_FIX"),
        "INFRA_CONTROL": (
            "SERVICE_RESTART", "SERVER_REBOOT", "SSL_REPLACE", "PORT_OPEN", "CRON_EDIT", "CONFIG_CHANGE",
            "HOST_COMMAND", "SELF_HEAL",
        ),
        "DATA": ("DATA_CLEAN", "DATA_SEED", "DB_QUERY", "DATA_CHECK"),
        "INSPECTION": (
            "LOG_ANALYSIS", "LOG_CLEAN", "DISK_CLEAN", "MEMORY_CHECK", "PROCESS_CHECK", "SECURITY_CHECK",
            "ACCOUNT_CHECK", "BACKUP", "HEALTH_CHECK",
        ),
    }.items()
    for sub_type in sub_types
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """The fields of one request. Codes are the catalogue's; `needs_info` names essential slots that must be asked for.

    `params` holds verbatim strings, numbers (days, percent, ports) and lists of numbers. `reasons` are stable English
    codes of the rules that decided, for the task page. A non-request (a question, thanks, a withdrawal, a prohibition)
    has every other field empty, so that nothing can be done with it, except that `is_dangerous` is still told: a
    danger that was only asked about is worth a look. `sub_type` None in a request: work without a kind of its own
    ("중지해 주세요") or not understood; `needs_info` then begins with "sub_type".
    """

    is_request: bool
    category: str | None = None
    sub_type: str | None = None
    institution: str | None = None
    system: str | None = None
    servers: tuple[str, ...] = ()
    params: dict[str, Any] = field(default_factory=dict)
    needs_info: tuple[str, ...] = ()
    is_dangerous: bool = False
    is_urgent: bool = False
    reasons: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready copy: tuples become lists."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
