"""What the administrators' pages share."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.caller import caller
from accounts.choices import Role
from accounts.models import Institution, User
from accounts.scope import holds_role, visible_to
from accounts.who import who_hold
from governance.selectors_authority import administered

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def for_administrators(view: View[P]) -> View[P]:
    """Administrators of any institution. What they may change, the services say."""

    @wraps(view)
    def asked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return refusal_for(request) or view(request, *args, **kwargs)

    return login_required(asked)


def refusal_for(request: HttpRequest, *, of_all: bool = False) -> HttpResponse | None:
    """What others are told: who the administrators are (`of_all`: those of all institutions). None for them."""
    user = caller(request)
    if (not of_all and administered(user).exists()) or administers_all(user):
        return None
    own = None if of_all else visible_to(Institution.objects.all(), user).order_by("pk").first()
    names = who_hold([Role.ADMINISTRATOR], own.pk if own else None, but={user.pk})
    reason = _("Administrators do this: %(names)s.") % {"names": names}
    return render(request, "portal/refused.html", {"reason": reason, "back": "/"}, status=403)


def administers_all(user: User) -> bool:
    return user.is_active and (user.is_superuser or holds_role(user, Role.ADMINISTRATOR, None))
