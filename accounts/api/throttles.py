from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.middleware import count_request, is_counted
from accounts.models import ApiToken
from accounts.rates import take

if TYPE_CHECKING:  # the module of views reads the settings that name this class
    from rest_framework.views import APIView


class RateThrottle(BaseThrottle):
    """Counts the callers whom only the API knows: by a bearer token; a personal one has a rate of its own besides.

    All others were counted by `accounts.middleware.Rates`. Raises RateExceeded.
    """

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if not is_counted(request._request):
            count_request(request._request, request.user)
            if isinstance(request.auth, ApiToken):
                take("TOKEN", request.auth.user, key=f"token:{request.auth.pk}")
        return True


def count_refused(request: Request) -> None:
    """A bearer who couldn't say who they are counts as a stranger. Raises RateExceeded."""
    if not is_counted(request._request):
        count_request(request._request, None)
