from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirect

from accounts.admin_base import ScopedAdmin
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
