"""The way in: name and password, then the one-time code of those who enrolled, and the answer when it is locked."""

import time
from typing import Any

from django.contrib.auth import load_backend, login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.exceptions import DirectoryAway
from accounts.lockout import count_failure, is_locked_out, locked_out
from accounts.models import User
from accounts.services.second_factor import is_code_right, is_enrolled

_PENDING_KEY = "guardia_pending"
_PENDING_SECONDS = 300


class DoorForm(AuthenticationForm):
    """Django's; a directory that can't be asked is told apart from a wrong password."""

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except DirectoryAway as error:
            raise ValidationError(str(error), code=error.code) from error


class DoorView(LoginView):
    """Django's log-in; whoever enrolled a second factor is let in by `second_factor` only."""

    template_name = "portal/login.html"
    authentication_form = DoorForm

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user: User = form.get_user()  # type: ignore[assignment]  # the stubs know Django's own user alone
        if not is_enrolled(user):
            return super().form_valid(form)
        self.request.session.cycle_key()
        self.request.session[_PENDING_KEY] = {
            "user": user.pk,
            "backend": user.backend,  # type: ignore[attr-defined]  # set by authenticate()
            "password": user.password[-16:],  # a changed password ends the wait
            "until": time.time() + _PENDING_SECONDS,
            "next": self.get_success_url(),
        }
        return redirect("login-code")


@sensitive_post_parameters("code")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """The code of the app, or a recovery code, after the password was right."""
    pending = request.session.get(_PENDING_KEY)
    user = _waiting_user(pending)
    if pending is None or user is None:
        request.session.pop(_PENDING_KEY, None)
        return redirect("login")
    error = ""
    if request.method == "POST":
        if is_locked_out(request, user.get_username()):
            request.axes_locked_out = True  # type: ignore[attr-defined]  # an attribute of ours, or of django-axes
            return redirect("login")  # the middleware answers instead
        if is_code_right(user, request.POST.get("code", "")[:32]):
            del request.session[_PENDING_KEY]
            login(request, user, backend=pending["backend"])
            return HttpResponseRedirect(pending["next"])
        count_failure(request, user.get_username())
        error = _("The code is not right. Each code works once; wait for the next one.")
    return render(request, "portal/login_code.html", {"error": error}, status=400 if error else 200)


def _waiting_user(pending: dict[str, Any] | None) -> User | None:
    if pending is None or pending["until"] < time.time():
        return None
    user = load_backend(pending["backend"]).get_user(pending["user"])
    if not isinstance(user, User) or not user.is_active or user.password[-16:] != pending["password"]:
        return None
    return user


def locked_out_answer(request: HttpRequest, response: HttpResponse, credentials: Any) -> HttpResponse:
    """django-axes asks for it (AXES_LOCKOUT_CALLABLE): the same for every name, known or not."""
    error = locked_out()
    if request.path.startswith("/api/"):
        body = {"code": error.code, "message": str(error), "details": error.details}
        return JsonResponse(body, status=error.http_status)
    return render(request, "portal/locked_out.html", {"reason": str(error)}, status=error.http_status)
