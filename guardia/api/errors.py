"""Every error of the API in one form: `{"code": stable, "message": translated, "details": {…}}`."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework.exceptions import APIException, AuthenticationFailed, NotAuthenticated, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from accounts.api.throttles import count_refused
from accounts.exceptions import RateExceeded
from guardia.common.errors import GuardiaError

logger = logging.getLogger(__name__)


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: our errors by their status, DRF's in the same form, the rest is a 500."""
    if isinstance(error, NotAuthenticated | AuthenticationFailed):
        try:
            count_refused(context["request"])
        except RateExceeded as refusal:
            error = refusal
    if isinstance(error, GuardiaError):
        refused = _response(error.http_status, error.code, str(error), error.details)
        if isinstance(error, RateExceeded):
            refused["Retry-After"] = str(error.details["seconds"])
        return refused
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, ValidationError):
        return _response(400, "invalid", _first_message(response.data), {"fields": response.data}, response)
    code = {Http404: "not_found", PermissionDenied: "not_permitted"}.get(type(error), "error")
    if isinstance(error, APIException):
        code = str(error.get_codes()) if isinstance(error.get_codes(), str) else error.default_code
    return _response(response.status_code, code, _first_message(response.data), {}, response)


def _response(status: int, code: str, message: str, details: Any, base: Response | None = None) -> Response:
    headers = dict(base.headers) if base is not None else {}
    headers.pop("Content-Type", None)
    return Response({"code": code, "message": message, "details": details}, status=status, headers=headers)


def _first_message(data: Any) -> str:
    """The first sentence somewhere in DRF's nested errors."""
    while isinstance(data, dict | list) and data:
        data = data.get("detail", next(iter(data.values()))) if isinstance(data, dict) else data[0]
    return str(data)
