from collections.abc import Mapping
from typing import Any

from django import template

from execution import words

register = template.Library()
register.filter("step_label", words.step_label)


@register.filter
def event_text(event: Mapping[str, Any]) -> str:
    return words.event_text(event)


@register.filter
def status_label(value: str) -> str:
    """The label of a host's or a run's status, as stored in documents."""
    return words.status_labels().get(value, value)
