"""How the OpenAPI document tells of refusals: one form for all of them, made by `guardia.api.errors`."""

from typing import Any

from rest_framework import serializers


class RefusalSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Stable, for programs.")
    message = serializers.CharField(help_text="For people, in their language.")
    details = serializers.JSONField()


def refusals(*statuses: int) -> dict[int, type[RefusalSerializer]]:
    """These answers, and those of every view that asks who calls."""
    return dict.fromkeys(sorted({*statuses, 401, 403, 406, 429}), RefusalSerializer)
