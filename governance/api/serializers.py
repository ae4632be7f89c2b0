from typing import Any

from rest_framework import serializers

from governance.choices import Decision
from governance.models import ApprovalStep


class ApprovalRequestSerializer(serializers.Serializer[Any]):
    """A decision: on the task's pending step, or on the step named. `plan_digest` is that of the plan looked at.
    Work of high risk needs the `password` again, or a one-time code as `otp`."""

    task_id = serializers.CharField(max_length=32)
    step_id = serializers.IntegerField(required=False, min_value=1)
    decision = serializers.ChoiceField(choices=Decision.choices)
    plan_digest = serializers.RegexField(r"^[0-9a-f]{64}$")
    comment = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)
    password = serializers.CharField(
        max_length=1000, required=False, default="", allow_blank=True, trim_whitespace=False, write_only=True
    )
    otp = serializers.CharField(max_length=32, required=False, default="", allow_blank=True, write_only=True)


class ApprovalStepSerializer(serializers.ModelSerializer[ApprovalStep]):
    """One step as the API shows it; people are user names."""

    step_id = serializers.IntegerField(source="pk", read_only=True)
    round = serializers.IntegerField(source="round.number", read_only=True)
    requester: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(slug_field="username", read_only=True)
    original_owner: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(
        slug_field="username", read_only=True, allow_null=True
    )
    approver: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(
        slug_field="username", read_only=True, allow_null=True
    )
    decided_by: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(
        slug_field="username", read_only=True, allow_null=True
    )
    plan_digest = serializers.CharField(source="round.plan_digest", read_only=True)

    class Meta:
        model = ApprovalStep
        fields = (
            "step_id",
            "round",
            "order",
            "role",
            "status",
            "is_automatic",
            "needs_reauthentication",
            "requester",
            "original_owner",
            "approver",
            "escalation_level",
            "asked_at",
            "due_at",
            "decided_by",
            "decided_at",
            "decided_in",
            "satisfied_by",
            "comment",
            "digest_seen",
            "plan_digest",
        )


class ApprovalResultSerializer(serializers.Serializer[Any]):
    task_id = serializers.CharField()
    task_status = serializers.CharField()
    step = ApprovalStepSerializer()
