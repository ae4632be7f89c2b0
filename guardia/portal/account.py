"""One's own account: password, one-time password, sessions, API tokens. Each act is a service for oneself."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

import segno
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.caller import caller
from accounts.identity import confirm_identity, remember_proof, remembered_proof
from accounts.middleware import SESSION_KEY
from accounts.models import ApiToken, RecoveryCode
from accounts.services import second_factor as factor
from accounts.services.passwords import change_password, password_days_left
from accounts.services.sessions import end_own_session, living_sessions
from accounts.services.tokens import create_token, revoke_token
from guardia.common.errors import GuardiaError
from guardia.portal.account_forms import CodeForm, ConfirmForm, PasswordForm, TokenForm, session_limits

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]
_FORM = ["GET", "HEAD", "POST"]


def identity_confirmed(view: View[P]) -> View[P]:
    """Ask for the password or code first, where it wasn't given in the last minutes; a POST begins anew after it."""

    @wraps(view)
    def asked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if remembered_proof(request) is not None:
            return view(request, *args, **kwargs)
        back = request.get_full_path() if request.method in ("GET", "HEAD") else reverse("portal:account")
        return redirect(f"{reverse('portal:confirm')}?{urlencode({'next': back})}")

    return asked


@login_required
@never_cache
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """What my account has, and how it is guarded."""
    user = caller(request)
    context = {
        "place": "account",
        "roles": list(user.memberships.select_related("institution").order_by("pk")),
        "days_left": password_days_left(user),
        "is_enrolled": factor.is_enrolled(user),
        "needs_factor": factor.needs_factor(user),
        "codes_left": RecoveryCode.objects.filter(user=user, used_at=None).count(),
        "sessions": list(living_sessions().filter(user=user)),
        "this_session": request.session.get(SESSION_KEY),
        "limits": session_limits(),
        "tokens": list(ApiToken.objects.filter(user=user, revoked_at=None)),
    }
    return render(request, "portal/account.html", context)


@sensitive_post_parameters("password", "otp")
@login_required
@never_cache
@require_http_methods(_FORM)
def confirm(request: HttpRequest) -> HttpResponse:
    """Show again who one is, then on to where one wanted."""
    user, form, error = caller(request), ConfirmForm(request.POST or None), ""
    given = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(given, {request.get_host()}, require_https=request.is_secure())
    back = given if is_ours else reverse("portal:account")
    if request.method == "POST":
        try:
            data = form.cleaned_data if form.is_valid() else {}
            proof = confirm_identity(request, actor=user, password=data.get("password", ""), otp=data.get("otp", ""))
        except GuardiaError as refused:
            error = str(refused)
        else:
            remember_proof(request, proof)
            return redirect(back)
    context = {"place": "account", "error": error, "next": back, "is_enrolled": factor.is_enrolled(user)}
    return render(request, "portal/confirm.html", context, status=403 if error else 200)


@sensitive_post_parameters("old", "new", "again")
@login_required
@never_cache
@require_http_methods(_FORM)
def password(request: HttpRequest) -> HttpResponse:
    """A new password; the other sessions end."""
    user, form = caller(request), PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            confirm_identity(request, actor=user, password=form.cleaned_data["old"])
        except GuardiaError as refused:
            form.add_error("old", str(refused))
        else:
            try:
                changed = change_password(
                    actor=user, password=form.cleaned_data["new"], session_pk=request.session.get(SESSION_KEY)
                )
            except GuardiaError as refused:
                form.add_error("new", str(refused))
            else:
                update_session_auth_hash(request, changed)
                messages.success(request, _("Your password was changed. Your other sessions have ended."))
                return redirect("portal:account")
    return render(
        request, "portal/password.html", {"place": "account", "form": form}, status=400 if form.errors else 200
    )


@sensitive_post_parameters("code")
@login_required
@never_cache
@require_http_methods(_FORM)
@identity_confirmed
def totp(request: HttpRequest) -> HttpResponse:
    """Enrol: scan or type the key, then prove it by the first code. A look at the page makes a new key."""
    user, form = caller(request), CodeForm(request.POST or None)
    if factor.is_enrolled(user):
        return redirect("portal:account")
    if request.method == "POST" and form.is_valid():
        try:
            codes = factor.confirm_enrolment(actor=user, code=form.cleaned_data["code"])
        except GuardiaError as refused:
            form.add_error("code", str(refused))
        else:
            return _show_codes(request, codes)
    device = factor.pending_device(user) if request.method == "POST" else None
    device = device or factor.begin_enrolment(actor=user)
    code = segno.make(factor.enrolment_uri(device), error="m")
    qr = code.svg_inline(scale=5, border=2, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None)
    context = {"place": "account", "form": form, "qr": qr, "key": factor.manual_key(device)}
    return render(request, "portal/totp.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
@identity_confirmed
def totp_disable(request: HttpRequest) -> HttpResponse:
    return _act(request, _("The one-time password is off."), lambda: factor.disable_factor(actor=caller(request)))


@login_required
@never_cache
@require_POST
@identity_confirmed
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes, shown once."""
    try:
        return _show_codes(request, factor.renew_recovery_codes(actor=caller(request)))
    except GuardiaError as refused:
        return _refused(request, refused)


@login_required
@require_POST
def end_session(request: HttpRequest, session_pk: int) -> HttpResponse:
    done = _("The session was ended.")
    return _act(request, done, lambda: end_own_session(actor=caller(request), session_pk=session_pk))


@login_required
@never_cache
@require_http_methods(_FORM)
@identity_confirmed
def new_token(request: HttpRequest) -> HttpResponse:
    """Make a token; the answer to the POST is the one page that shows it."""
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            token, clear = create_token(actor=caller(request), **form.cleaned_data)
        except GuardiaError as refused:
            form.add_error(None, str(refused))
        else:
            return render(request, "portal/token_made.html", {"place": "account", "token": token, "clear": clear})
    return render(
        request, "portal/new_token.html", {"place": "account", "form": form}, status=400 if form.errors else 200
    )


@login_required
@require_POST
def end_token(request: HttpRequest, token_pk: int) -> HttpResponse:
    return _act(request, _("The token was revoked."), lambda: revoke_token(actor=caller(request), token_pk=token_pk))


def _show_codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    return render(request, "portal/recovery_codes.html", {"place": "account", "codes": codes})


def _act(request: HttpRequest, done: str, act: Callable[[], Any]) -> HttpResponse:
    try:
        act()
    except GuardiaError as refused:
        return _refused(request, refused)
    messages.success(request, done)
    return redirect("portal:account")


def _refused(request: HttpRequest, error: GuardiaError) -> HttpResponse:
    context = {"reason": str(error), "back": reverse("portal:account")}
    return render(request, "portal/refused.html", context, status=error.http_status)
