"""Nobody asks more often than their rate. Sessions live as their rows say; whose password is another's or too old, or
who lacks the second factor, mends that first."""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from accounts.exceptions import RateExceeded
from accounts.models import User, UserSession
from accounts.rates import stranger, take
from accounts.scope import remember_memberships, with_memberships
from accounts.services.passwords import is_password_expired
from accounts.services.second_factor import is_enrolled, needs_factor
from accounts.services.sessions import end_reason, end_sessions
from guardia.common.clock import now

SESSION_KEY = "guardia_session"
_SEEN_SECONDS = 60
#: Open while something must be mended first.
_ALWAYS_OPEN = ("/account/password/", "/account/confirm/", "/account/totp/", "/logout/", "/language/", "/static/")


#: Cheap, and asked by machines; gateways are counted where their signature is looked at.
_UNCOUNTED = ("/health/", "/static/", "/gateway/")
_LOOKS = ("GET", "HEAD", "OPTIONS")


class Rates:
    """After Django's authentication: counts each request under its user, or under the address of a stranger.

    Who comes to the API with a token is known later, and counted there (`accounts.api.throttles`).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_counted(request) and not request.path.startswith(_UNCOUNTED):
            try:
                count_request(request, request.user)
            except RateExceeded as error:
                return _too_many(request, error)
        return self.get_response(request)


def is_counted(request: HttpRequest) -> bool:
    """Whether the middleware counts it: all but bearers of tokens."""
    return not (_is_api(request) and "Authorization" in request.headers)


def count_request(request: HttpRequest, user: object) -> None:
    """Count a request, and once more when it changes something: programs may, people's forms come slowly.

    Raises RateExceeded.
    """
    caller = user if isinstance(user, User) else stranger(request.META.get("REMOTE_ADDR") or "")
    take("REQUESTS", caller)
    if request.method not in _LOOKS and not (_is_api(request) and isinstance(user, User)):
        take("FORMS", caller)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _too_many(request: HttpRequest, error: RateExceeded) -> HttpResponse:
    """A page that asks the database nothing."""
    if _is_api(request):
        body = {"code": error.code, "message": str(error), "details": error.details}
        response: HttpResponse = JsonResponse(body, status=error.http_status)
    else:
        response = HttpResponse(render_to_string("429.html", {"reason": str(error)}), status=error.http_status)
    response["Retry-After"] = str(error.details["seconds"])
    return response


class SessionLimits:
    """After Django's authentication and messages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            self._look(request)
        if request.user.is_authenticated and not request.path.startswith(_ALWAYS_OPEN):
            refusal = self._must_mend(request)
            if refusal is not None:
                return refusal
        return self.get_response(request)

    def _look(self, request: HttpRequest) -> None:
        sessions = UserSession.objects.filter(pk=request.session.get(SESSION_KEY) or 0, user=request.user.pk)
        session = with_memberships(sessions).first()
        if session is None:
            logout(request)  # begun before these rows were kept, or its row is gone
            return
        session.user = request.user  # type: ignore[assignment]  # the stubs know Django's own user alone
        reason = end_reason(session)
        if reason is not None:
            end_sessions([session.pk], reason)
            logout(request)
            messages.warning(request, _("Your session has ended: %(reason)s.") % {"reason": reason.label})
            return
        remember_memberships(session)
        if now() - session.last_seen_at > timedelta(seconds=_SEEN_SECONDS):
            UserSession.objects.filter(pk=session.pk, ended_at=None).update(last_seen_at=now())

    def _must_mend(self, request: HttpRequest) -> HttpResponse | None:
        user: User = request.user  # type: ignore[assignment]  # the stubs know Django's own user alone
        if user.must_change_password:
            text = _("Somebody else gave you this password: choose your own first.")
            return _sent_to(request, "portal:password", "password_must_change", text)
        if is_password_expired(user):
            return _sent_to(request, "portal:password", "password_expired", _("Your password is too old: change it."))
        if settings.GUARDIA_REQUIRE_TOTP_FOR and needs_factor(user) and not is_enrolled(user):
            text = _("Your role needs a one-time password: set it up.")
            return _sent_to(request, "portal:totp", "totp_required", text)
        return None


def _sent_to(request: HttpRequest, page: str, code: str, text: str) -> HttpResponse:
    if _is_api(request):
        return JsonResponse({"code": code, "message": text, "details": {}}, status=403)
    messages.warning(request, text)
    return redirect(page)
