"""Who is asking: the user of a request that a door has already let in."""

from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from accounts.models import User
from guardia.common.errors import NotPermitted


def caller(request: HttpRequest | Request) -> User:
    """The logged-in user; raises NotPermitted where a door forgot to ask for one."""
    if not isinstance(request.user, User):
        raise NotPermitted(_("Log in first."))
    return request.user
