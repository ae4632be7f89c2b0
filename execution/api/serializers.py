from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from execution.choices import HaltScope, RollbackScope
from execution.models import Halt, Run


class HaltRequestSerializer(serializers.Serializer[Any]):
    """What to halt: everything (`GLOBAL`), an `institution` by its code, or the run of a task (`task_id`)."""

    scope = serializers.ChoiceField(choices=HaltScope.choices)
    institution = serializers.CharField(max_length=32, required=False, default="")
    task_id = serializers.CharField(max_length=32, required=False, default="")
    reason = serializers.CharField(max_length=2000, allow_blank=True)
    rolls_back = serializers.BooleanField(required=False, default=False)


class LiftRequestSerializer(serializers.Serializer[Any]):
    """Lifting more than one run's halt needs the `password` again, or a one-time code as `otp`."""

    halt_id = serializers.IntegerField(min_value=1, max_value=2**62)
    reason = serializers.CharField(max_length=2000, allow_blank=True)
    password = serializers.CharField(
        max_length=1000, required=False, default="", allow_blank=True, trim_whitespace=False, write_only=True
    )
    otp = serializers.CharField(max_length=32, required=False, default="", allow_blank=True, write_only=True)


class HaltSerializer(serializers.ModelSerializer[Halt]):
    halt_id = serializers.IntegerField(source="pk", read_only=True)
    institution = serializers.CharField(source="institution.code", default=None, read_only=True)
    task_id = serializers.CharField(source="run.task.task_id", default=None, read_only=True)
    halted_by = serializers.CharField(source="halted_as", read_only=True)
    lifted_by = serializers.CharField(source="lifted_as", read_only=True)

    class Meta:
        model = Halt
        fields = (
            "halt_id",
            "scope",
            "institution",
            "task_id",
            "reason",
            "rolls_back",
            "halted_by",
            "halted_at",
            "lifted_by",
            "lifted_at",
            "lift_reason",
        )


class HaltsSerializer(serializers.Serializer[Any]):
    halts = HaltSerializer(many=True)


class RunActSerializer(serializers.Serializer[Any]):
    """What to do with the run of a task. `hostname` is for `skip`, `rollback` for `abort`: what goes back."""

    task_id = serializers.CharField(max_length=32)
    act = serializers.ChoiceField(choices=["pause", "resume", "skip", "retry", "abort"])
    reason = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)
    hostname = serializers.CharField(max_length=128, required=False, default="")
    rollback = serializers.ChoiceField(choices=RollbackScope.choices, required=False)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        needed = {"skip": "hostname", "abort": "rollback"}.get(data["act"], "act")
        if not data.get(needed):
            raise serializers.ValidationError({needed: _("This field is required.")})
        return data


class RunStateSerializer(serializers.ModelSerializer[Run]):
    task_id = serializers.CharField(source="task.task_id", read_only=True)
    run_id = serializers.IntegerField(source="pk", read_only=True)

    class Meta:
        model = Run
        fields = ("task_id", "run_id", "status", "reason", "held_for", "held_because", "rollback")
