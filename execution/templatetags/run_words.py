from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils.dateparse import parse_datetime

from execution import words
from execution.choices import StepStatus
from execution.reason_words import reason_label

register = template.Library()
register.filter("step_label", words.step_label)
register.filter("fact_label", words.fact_label)
register.filter("drift_label", words.drift_label)
register.filter("reason_label", reason_label)


@register.filter
def event_text(event: Mapping[str, Any]) -> str:
    return words.event_text(event)


@register.filter
def status_label(value: str) -> str:
    """The label of a host's or a run's status, as stored in documents."""
    return words.status_labels().get(value, value)


@register.filter
def step_status(value: str) -> str:
    """The label of a step's status, as stored in documents."""
    return str(StepStatus(value).label) if value in StepStatus.values else value


@register.filter
def seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.1f}"


@register.filter
def moment(text: str) -> datetime | None:
    """An ISO moment of an event as a datetime, so that `date` can show it in the local zone."""
    return parse_datetime(text)
