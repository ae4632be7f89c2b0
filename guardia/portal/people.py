"""Accounts, for administrators: who there is, what they may do, and the acts on one of them."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.caller import caller
from accounts.choices import Role
from accounts.lockout import addresses_locked_for
from accounts.models import Membership, User
from accounts.scope import people_visible_to, visible_to
from accounts.services.second_factor import is_enrolled
from accounts.services.sessions import living_sessions
from governance.selectors_authority import administered, people_administered
from governance.services import accounts as services
from guardia.common.errors import GuardiaError
from guardia.portal.acts import act_and_return
from guardia.portal.administration import administers_all, for_administrators, refusal_for
from guardia.portal.forms import WordsForm
from guardia.portal.people_forms import PersonForm, RoleForm
from guardia.portal.views import searched_words

_PER_PAGE = 20


@for_administrators
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Accounts by name; `q` (name or user name) and `state` (active, disabled) narrow it down."""
    admin, words, state = caller(request), searched_words(request), request.GET.get("state", "")
    found = people_administered(admin)
    if words:
        found = found.filter(Q(display_name__icontains=words) | Q(username__icontains=words))
    if state in ("active", "disabled"):
        found = found.filter(is_active=state == "active")
    roles = visible_to(Membership.objects.select_related("institution"), admin).order_by("pk")
    found = found.prefetch_related(Prefetch("memberships", roles)).order_by("display_name", "username")
    context = {
        "place": "people",
        "page": Paginator(found, _PER_PAGE).get_page(request.GET.get("page")),
        "q": words,
        "state": state,
        "may_add": administers_all(admin),
    }
    return render(request, "portal/people.html", context)


@sensitive_post_parameters("password")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_person(request: HttpRequest) -> HttpResponse:
    """Make an account; then it gets its roles on its page. Administrators of all institutions do."""
    if refusal := refusal_for(request, of_all=True):
        return refusal
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_account(actor=caller(request), **form.cleaned_data)
        except GuardiaError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The account was made. Give it a role now."))
            return redirect("portal:person", made.pk)
    context = {"place": "people", "form": form}
    return render(request, "portal/person_new.html", context, status=400 if form.errors else 200)


def of_a_person(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Finds the person (404 for who is not the reader's to know), then asks for an administrator."""

    @wraps(view)
    def found_first(request: HttpRequest, user_pk: int, **kwargs: Any) -> HttpResponse:
        found = people_visible_to(caller(request)).filter(pk=user_pk).first()
        if found is None:
            raise Http404
        return refusal_for(request) or view(request, found, **kwargs)

    return login_required(found_first)


@of_a_person
@require_safe
def person(request: HttpRequest, found: User) -> HttpResponse:
    """One account: its state, its roles, and what can be done with it."""
    return _page(request, found, _role_form(request))


@of_a_person
@require_POST
def disable(request: HttpRequest, found: User) -> HttpResponse:
    """Nobody uses it from now on."""
    return _act(
        request,
        found,
        _("The account is disabled; its sessions have ended."),
        lambda: services.disable_account(actor=caller(request), user=found, reason=_words(request)),
    )


@of_a_person
@require_POST
def enable(request: HttpRequest, found: User) -> HttpResponse:
    """It is used again."""
    return _act(
        request,
        found,
        _("The account is enabled."),
        lambda: services.enable_account(actor=caller(request), user=found, reason=_words(request)),
    )


@of_a_person
@require_POST
def unlock(request: HttpRequest, found: User) -> HttpResponse:
    """Failed log-ins are forgotten."""
    return _act(
        request,
        found,
        _("The lock-out is lifted."),
        lambda: services.unlock_account(actor=caller(request), user=found),
    )


@of_a_person
@require_POST
def give_role(request: HttpRequest, found: User) -> HttpResponse:
    """One more role in an institution."""
    form = _role_form(request)
    if not form.is_valid():
        return _page(request, found, form, status=400)
    given = {"role": Role(form.cleaned_data["role"]), "institution": form.cleaned_data["institution"]}
    return _act(
        request,
        found,
        _("The role was given."),
        lambda: services.grant_role(actor=caller(request), user=found, **given),
    )


@of_a_person
@require_POST
def end_role(request: HttpRequest, found: User, membership_pk: int) -> HttpResponse:
    """One role less."""
    if not found.memberships.filter(pk=membership_pk).exists():
        raise Http404
    return _act(
        request,
        found,
        _("The role has ended."),
        lambda: services.end_role(actor=caller(request), membership_pk=membership_pk, reason=_words(request)),
    )


def _page(request: HttpRequest, found: User, form: RoleForm, status: int = 200) -> HttpResponse:
    admin = caller(request)
    context = {
        "place": "people",
        "person": found,
        "is_self": found.pk == admin.pk,
        "roles": list(visible_to(found.memberships.select_related("institution").order_by("pk"), admin)),
        "sessions": living_sessions().filter(user=found).count(),
        "locked": addresses_locked_for(found.get_username()),
        "is_enrolled": is_enrolled(found),
        "form": form,
    }
    return render(request, "portal/person.html", context, status=status)


def _act(request: HttpRequest, found: User, done: str, act: Callable[[], Any]) -> HttpResponse:
    return act_and_return(request, f"/people/{found.pk}/", done, act)


def _role_form(request: HttpRequest) -> RoleForm:
    admin = caller(request)
    return RoleForm(request.POST or None, institutions=administered(admin), may_all=administers_all(admin))


def _words(request: HttpRequest) -> str:
    form = WordsForm(request.POST)
    return str(form.cleaned_data["words"]) if form.is_valid() else ""
