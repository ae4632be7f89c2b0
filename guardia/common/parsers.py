"""What the API reads: hostile bytes until they are parsed."""

from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.serializers import Serializer


def validated(form: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """What was sent, as the serializer `form` wants it. Raises ValidationError (400)."""
    given = form(data=request.data)
    given.is_valid(raise_exception=True)
    data: dict[str, Any] = given.validated_data
    return data


class BoundedJSONParser(JSONParser):
    """JSON whose nesting ends before Python's stack does: deeper is the sender's error (400), not ours (500)."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError(_("The JSON is nested too deeply.")) from error
