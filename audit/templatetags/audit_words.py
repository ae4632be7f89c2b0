from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.act_words import act_words as words_of
from audit.fault_words import fault_words, kind_words
from audit.reports.entries import person_words as name_of

register = template.Library()
register.filter(fault_words)
register.filter("fault_kind", kind_words)

#: What `audit.stores` say of themselves, as people read it.
_STATES: dict[str, Promise] = {
    "append-only": _("append-only"),
    "ordinary directory": _("an ordinary directory: its owner can delete files"),
    "sent": _("sent"),
    "sent without an answer": _("sent; this way nobody answers"),
    "accepted by the mail server": _("accepted by the mail server"),
}


@register.filter
def store_state(state: str) -> str | Promise:
    return _STATES.get(state, state)


@register.filter
def act_words(action: str) -> str:
    """`approval.approved` in words."""
    return words_of(action)


@register.filter
def person_words(actor: str) -> str:
    """`user:7:kim.site` without the number."""
    return name_of(actor)
