"""Words for the codes of tickets."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: What a request may lack (`OpsTask.needs_info`) → how people are asked for it.
NEEDS: dict[str, Promise] = {
    "request": _("What should be done"),
    "sub_type": _("What kind of work it is"),
    "system": _("Which system it is about"),
    "servers": _("Which servers it is about"),
    "artifact": _("The file to deploy"),
    "target": _("What exactly it is about"),
    "condition": _("Which of the data, by which condition"),
    "port": _("Which port"),
    "schedule": _("When it should run"),
    "value": _("The new value"),
    "window": _("When it may be done"),
}
