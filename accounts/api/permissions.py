from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.choices import TokenScope
from accounts.models import ApiToken

if TYPE_CHECKING:  # the module of views reads the settings that name this class
    from rest_framework.views import APIView


class ScopeAllows(BasePermission):
    """A personal token opens the views whose `token_scope` it holds, and none that names no scope; with the scope to
    read it changes nothing."""

    code = "scope_missing"
    message = _("This token's scopes don't allow this.")

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, ApiToken):
            return True
        scope = getattr(view, "token_scope", None)
        may_change = scope != TokenScope.READ
        return scope in request.auth.scopes and (may_change or request.method in SAFE_METHODS)
