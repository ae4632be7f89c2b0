"""Words of policies and checks for templates."""

from django import template
from django.utils.functional import Promise

from governance.services.security_check import told_of

register = template.Library()


@register.filter
def look_label(check: str) -> str | Promise:
    """What the automatic check looked at, as a sentence."""
    return told_of(check)
