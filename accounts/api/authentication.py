from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.services.tokens import TOKEN_MARK, token_of


class PersonalTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer grd_…`. Other bearers are left to the next class."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        kind, _space, clear = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind.lower() != "bearer" or not clear.startswith(TOKEN_MARK):
            return None
        token = token_of(clear.strip())
        if token is None:
            raise AuthenticationFailed(code="token_not_valid")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'
