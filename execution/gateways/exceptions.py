"""Errors between the core and its gateways::

GuardiaError
├── Stranger        401  the message isn't a gateway's in service; says no more
├── Revoked         403  it was a gateway, and isn't any more: told to it alone
├── ClearText       403  not by TLS, and not from this machine
├── ParcelRefused   409  the spool has a gap or a fork, or a parcel says what can't be: alarmed
└── CoreAway        503  the core didn't answer, or not as the core that is pinned
    └── CoreRefused      it did, and said no; `code` says why
"""

from django.utils.translation import gettext_lazy as _

from guardia.common.errors import GuardiaError, StaleState, Unavailable


class Stranger(GuardiaError):
    code = "stranger"
    http_status = 401
    default_message = _("This gateway isn't known here.")


class Revoked(GuardiaError):
    code = "revoked"
    http_status = 403
    default_message = _("This gateway is revoked.")


class ClearText(GuardiaError):
    code = "https_only"
    http_status = 403


class ParcelRefused(StaleState):
    code = "parcel_refused"


class CoreAway(Unavailable):
    code = "core_away"
    default_message = _("The core doesn't answer.")


class CoreRefused(CoreAway):
    code = "core_refused"
