"""States as chips: one look for every status in lists, pages and the admin. Their colours live in components.css."""

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString


def chip(value: object, label: str | Promise) -> SafeString:
    """`value` chooses the colour, `label` is what people read."""
    return format_html('<span class="chip" data-status="{}">{}</span>', value, label)
