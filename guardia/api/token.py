"""The API's log-in: a bearer token for a name, a password and, where enrolled, a one-time code."""

from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.serializers import TokenRefreshSerializer
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.views import TokenRefreshView

from accounts.api import scheme  # noqa: F401 - tells the OpenAPI document of personal tokens
from accounts.lockout import count_failure, is_locked_out, locked_out
from accounts.models import User
from accounts.services.passwords import is_password_expired
from accounts.services.second_factor import is_code_right, is_enrolled, needs_factor
from guardia.common.error_responses import refusals
from guardia.common.errors import NotPermitted
from guardia.common.parsers import validated


class CredentialsSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150, write_only=True)
    password = serializers.CharField(max_length=1000, write_only=True, trim_whitespace=False)
    otp = serializers.CharField(
        max_length=32, required=False, default="", allow_blank=True, help_text="For users with a second factor."
    )


class TokensSerializer(serializers.Serializer[Any]):
    access = serializers.CharField()
    refresh = serializers.CharField()


class TokenView(APIView):
    """A pair of tokens. 401 `no_active_account` for whatever is wrong with name or password, `otp_missing` or
    `otp_wrong` for the code; 429 after five failures; 403 when the password is another's or too old, or the
    role needs a code."""

    authentication_classes = ()
    permission_classes = ()
    token_scope = None

    def get_authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'

    @extend_schema(
        request=CredentialsSerializer, responses={200: TokensSerializer, **refusals(400, 415)}, operation_id="token"
    )
    def post(self, request: Request) -> Response:
        user = _authenticated(request, **validated(CredentialsSerializer, request))
        if user.must_change_password:
            text = _("Somebody else gave you this password: choose your own in the portal first.")
            raise NotPermitted(text, code="password_must_change")
        if is_password_expired(user):
            raise NotPermitted(_("Your password is too old: change it in the portal."), code="password_expired")
        if needs_factor(user) and not is_enrolled(user):
            raise NotPermitted(_("Your role needs a one-time password: set it up in the portal."), code="totp_required")
        user_logged_in.send(sender=User, request=request._request, user=user)
        refresh = RefreshToken.for_user(user)
        return Response({"refresh": str(refresh), "access": str(refresh.access_token)})


def _authenticated(request: Request, username: str, password: str, otp: str) -> User:
    http = request._request  # django-axes marks the request that its middleware sees
    user = authenticate(http, username=username, password=password)
    if user is None and is_locked_out(http, username):
        raise locked_out()
    if not isinstance(user, User) or not user.is_active:  # a directory may know people who have left us
        raise AuthenticationFailed(_("No active account found with the given credentials"), code="no_active_account")
    if is_enrolled(user):
        if not otp:
            raise AuthenticationFailed(_("Send the one-time code as `otp`."), code="otp_missing")
        if not is_code_right(user, otp):
            count_failure(http, username)
            raise AuthenticationFailed(_("The one-time code is not right."), code="otp_wrong")
    return user


class RefreshView(TokenRefreshView):
    """Another access token for a refresh token. 401 `token_not_valid` when it has ended or its user has left."""

    @extend_schema(
        request=TokenRefreshSerializer,
        responses={200: TokenRefreshSerializer, **refusals(400, 415)},
        operation_id="token_refresh",
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().post(request, *args, **kwargs)
