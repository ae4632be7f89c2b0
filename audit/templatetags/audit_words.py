from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

register = template.Library()

#: `audit.verification.Fault.kind` as people read it.
_FAULTS: dict[str, Promise] = {
    "altered": _("The entry was altered"),
    "missing": _("An entry is missing"),
    "cut_tail": _("The end of the chain was cut off"),
    "foreign_head": _("The head is not the last entry"),
    "reordered": _("The entry is in the wrong place"),
}


@register.filter
def fault_kind(kind: str) -> str | Promise:
    return _FAULTS.get(kind, kind)
