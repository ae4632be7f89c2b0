"""What must be true of the settings, or nothing starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def queue_guards(**_: Any) -> list[CheckMessage]:
    """django-q2's defaults run a failed task again for ever and store pickles (style.md rule 10)."""
    queue: dict[str, Any] = settings.Q_CLUSTER
    rules = {
        "guardia.E001": (queue.get("ack_failures") is True, "ack_failures must be on"),
        "guardia.E002": (queue.get("max_attempts") == 1, "max_attempts must be 1"),
        "guardia.E003": (queue.get("timeout", 0) < queue.get("retry", 0), "retry must be longer than timeout"),
        "guardia.E004": (queue.get("save_limit") == -1, "results must not be stored (save_limit -1)"),
        "guardia.E005": (
            queue.get("broker_class") == "guardia.common.broker.AllowListBroker",
            "the broker must be the one with the allow-list",
        ),
    }
    return [Error(f"Q_CLUSTER: {message}", id=check_id) for check_id, (holds, message) in rules.items() if not holds]
