from typing import Any

from rest_framework import serializers

from audit.choices import ReportFormat, ReportKind
from audit.models import Report


class ReportSerializer(serializers.ModelSerializer[Report]):
    report_id = serializers.IntegerField(source="pk", read_only=True)
    institution = serializers.CharField(source="institution.code", read_only=True, default="")
    requested_by = serializers.CharField(source="requested_by.username", read_only=True)
    signed_by = serializers.CharField(source="signed_by.username", read_only=True, default="")
    percent = serializers.IntegerField(read_only=True)
    chain = serializers.CharField(source="entry.chain.key", read_only=True, default="")
    entry_number = serializers.IntegerField(source="entry.number", read_only=True, default=None, allow_null=True)

    class Meta:
        model = Report
        fields = (
            "report_id",
            "kind",
            "format",
            "institution",
            "since",
            "until",
            "subject",
            "reason",
            "requested_by",
            "ordered_at",
            "state",
            "percent",
            "error",
            "made_at",
            "expires_at",
            "rows",
            "size",
            "digest",
            "chain",
            "entry_number",
            "signed_by",
            "signed_at",
        )


class ReportsSerializer(serializers.Serializer[Any]):
    reports = ReportSerializer(many=True)


class ReportOrderSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=ReportKind.choices)
    format = serializers.ChoiceField(choices=ReportFormat.choices)
    institution = serializers.CharField(max_length=32, allow_blank=True, default="", help_text="Its code; empty: all.")
    since = serializers.DateField()
    until = serializers.DateField()
    subject = serializers.CharField(max_length=160, allow_blank=True, default="")
    reason = serializers.CharField(max_length=500, allow_blank=True, default="")


class ReportReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500, allow_blank=True, default="")


class ExplanationSerializer(serializers.Serializer[Any]):
    entry_chain = serializers.CharField(max_length=64, help_text="The key of the chain.")
    entry_number = serializers.IntegerField(min_value=1, max_value=2**62)
    text = serializers.CharField(max_length=2000, allow_blank=True, default="")


class FindingSerializer(serializers.Serializer[Any]):
    finding = serializers.CharField(max_length=2000, allow_blank=True, default="")
