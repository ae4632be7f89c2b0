"""What the pages of the chain, and of what is written through services, share."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.admin_base import ReadOnlyAdmin, ScopedAdmin
from accounts.exceptions import OutsideBastion
from audit.refusals import record_refusal
from guardia.common.errors import GuardiaError


class WrittenAdmin(ScopedAdmin):
    """Rows that are added and changed here through a service, and never deleted: the chain names them."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django's, with a service's refusal told in words: by then its transaction has been taken back."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except GuardiaError as refusal:
            if isinstance(refusal, OutsideBastion):
                record_refusal(refusal, f"save_{self.opts.model_name}")
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.path)


class DecidedAdmin(ReadOnlyAdmin):
    """Rows that people propose something for and decide on here, each time by one service."""

    def act(self, request: HttpRequest, object_id: str, service: Callable[[int], Any]) -> HttpResponse:
        """Call the service with the row's key, and lead back to its page with a word, or with the refusal."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])
        try:
            service(row.pk)
        except GuardiaError as refusal:
            return refused(request, refusal, page)
        messages.success(request, _("Your decision was recorded."))
        return redirect(page)


def refused(request: HttpRequest, refusal: GuardiaError, back: str = "..") -> HttpResponse:
    """Nothing was changed: say why, and lead back."""
    return render(request, "portal/refused.html", {"reason": str(refusal), "back": back}, status=refusal.http_status)
