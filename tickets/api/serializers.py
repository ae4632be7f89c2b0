from typing import Any

from rest_framework import serializers

from tickets.models import OpsTask
from tickets.services.file_task import KEY_LIMIT
from tickets.understanding import TEXT_LIMIT


class IntakeSerializer(serializers.Serializer[Any]):
    """A request as it comes in; `system` and `servers` may be left to the text. `key` names
    one submission: the same key again gives the same task."""

    text = serializers.CharField(max_length=TEXT_LIMIT, trim_whitespace=True)
    system = serializers.CharField(max_length=32, required=False, default="", allow_blank=True)
    servers = serializers.ListField(
        child=serializers.CharField(max_length=128), required=False, default=list, max_length=1000
    )
    key = serializers.CharField(max_length=KEY_LIMIT, required=False, default="", allow_blank=True)
    artefact = serializers.FileField(required=False, allow_empty_file=False)


class TaskSerializer(serializers.ModelSerializer[OpsTask]):
    """A task as the API shows it."""

    institution: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(slug_field="code", read_only=True)
    system: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(
        slug_field="code", read_only=True, allow_null=True
    )
    servers: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(
        slug_field="hostname", many=True, read_only=True
    )
    requester: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(slug_field="username", read_only=True)
    status_text = serializers.CharField(source="get_status_display", read_only=True)
    risk = serializers.CharField(source="get_risk_display", read_only=True)

    class Meta:
        model = OpsTask
        fields = (
            "task_id",
            "status",
            "status_text",
            "reason",
            "text",
            "institution",
            "system",
            "servers",
            "requester",
            "channel",
            "category",
            "sub_type",
            "params",
            "needs_info",
            "risk",
            "is_dangerous",
            "is_urgent",
            "priority",
            "scheduled_for",
            "expected_start",
            "created_at",
            "changed_at",
            "closed_at",
        )
