from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from accounts.models import ApiToken

if TYPE_CHECKING:  # the module of views reads the settings that name this class
    from rest_framework.views import APIView


class TokenRateThrottle(SimpleRateThrottle):
    """Each personal token has a rate of its own, beside its user's."""

    scope = "token"

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        if not isinstance(request.auth, ApiToken):
            return None
        return f"throttle_token_{request.auth.pk}"
