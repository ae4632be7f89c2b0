"""The root of every error Guardia raises on purpose.

Each app grows its own tree from here in its `exceptions.py`::

    GuardiaError              something was refused; the reason is for the user
    ├── InvalidInput     400  the caller sent something that can't be right
    ├── NotPermitted     403  the caller may not do this
    ├── NotVisible       404  it doesn't exist, or not for this caller
    ├── StaleState       409  it was true a moment ago and isn't any more
    └── Unavailable      503  a part we need is away; try again

One DRF handler (`guardia.api.errors`) and one page (`guardia.portal.acts`) turn them into words; nothing else needs
to know HTTP.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class GuardiaError(Exception):
    """Something was refused. `message` is translated text that may be shown to the user; `code` is stable."""

    code = "error"
    http_status = 400
    default_message: str | Promise = _("The request was refused.")

    def __init__(self, message: str | Promise | None = None, *, code: str | None = None, **details: object) -> None:
        self.message = message if message is not None else self.default_message
        self.code = code or self.code
        self.details = details
        super().__init__(self.message)

    def __str__(self) -> str:
        return str(self.message)


class InvalidInput(GuardiaError):
    code = "invalid"
    http_status = 400
    default_message = _("The input is not valid.")


class NotPermitted(GuardiaError):
    code = "not_permitted"
    http_status = 403
    default_message = _("You may not do this.")


class NotVisible(GuardiaError):
    code = "not_found"
    http_status = 404
    default_message = _("There is no such thing here.")


class StaleState(GuardiaError):
    code = "stale_state"
    http_status = 409
    default_message = _("The state has changed meanwhile. Reload and look again.")


class Unavailable(GuardiaError):
    code = "unavailable"
    http_status = 503
    default_message = _("A part that is needed is away. Try again in a moment.")
