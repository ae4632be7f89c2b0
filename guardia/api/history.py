"""A task's whole history: its state, approvals, plan, runs and chain entries; page by page where it is long."""

from collections import defaultdict
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.choices import TokenScope
from accounts.contacts import shown_to
from audit.models import Entry
from audit.selectors import entries_of_task
from execution.models import HostRun, Run
from execution.plan.voided import voided_differences
from execution.selectors import current_plan, hosts_of_task
from governance.api.serializers import ApprovalStepSerializer
from governance.models import ApprovalStep
from guardia.common.error_responses import refusals
from tickets.api.serializers import TaskSerializer
from tickets.selectors import visible_task

M = TypeVar("M", bound=Model)
_PER_PAGE, _LARGEST = 500, 2**63 - 1


class EntrySerializer(serializers.ModelSerializer[Entry]):
    chain = serializers.CharField(source="chain.key", read_only=True)

    class Meta:
        model = Entry
        fields = ("chain", "number", "recorded_at", "action", "actor", "object_type", "object_id", "prev_hash", "hash")


class HostRunSerializer(serializers.ModelSerializer[HostRun]):
    hostname = serializers.CharField(source="server.hostname", read_only=True)
    wave = serializers.IntegerField(source="wave.number", read_only=True)

    class Meta:
        model = HostRun
        fields = ("hostname", "wave", "status", "error_code", "error", "started_at", "finished_at")


class RunSerializer(serializers.ModelSerializer[Run]):
    run_id = serializers.IntegerField(source="pk", read_only=True)
    plan_digest = serializers.CharField(source="plan.digest", read_only=True)
    hosts = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields = (
            "run_id",
            "status",
            "reason",
            "held_for",
            "held_because",
            "rollback",
            "plan_digest",
            "diff_digest",
            "started_at",
            "finished_at",
            "hosts",
        )

    def get_hosts(self, run: Run) -> list[dict[str, Any]]:
        return HostRunSerializer(self.context["hosts"][run.pk], many=True).data  # type: ignore[return-value]  # many=True gives a list


class DifferenceSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(source="label")
    before = serializers.ListField(child=serializers.CharField())
    after = serializers.ListField(child=serializers.CharField())


class PartChangeSerializer(serializers.Serializer[Any]):
    part = serializers.CharField(source="title")
    kind = serializers.ChoiceField(choices=["CHANGED", "ADDED", "REMOVED"])
    hostname = serializers.CharField(allow_blank=True)
    differences = DifferenceSerializer(many=True)


class PageSerializer(serializers.Serializer[Any]):
    """From where on, by keys that `next` names."""

    entries_after = serializers.IntegerField(min_value=0, max_value=_LARGEST, default=0)
    hosts_after = serializers.IntegerField(min_value=0, max_value=_LARGEST, default=0)


class HistorySerializer(serializers.Serializer[Any]):
    task = TaskSerializer()
    plan_digest = serializers.CharField(allow_null=True)
    plan_changes = PartChangeSerializer(many=True)
    approvals = ApprovalStepSerializer(many=True)
    runs = RunSerializer(many=True)
    entries = EntrySerializer(many=True)
    next = serializers.CharField(allow_null=True)


class HistoryView(APIView):
    """Everything that happened to one task, oldest first. 404 for what isn't yours to see.

    Of the chain entries and the hosts of runs as many as a page has; `next` is the path of the rest, null at the end.
    """

    token_scope = TokenScope.READ

    @extend_schema(
        parameters=[PageSerializer],
        responses={200: HistorySerializer, **refusals(400, 404)},
        operation_id="task_history",
    )
    def get(self, request: Request, task_id: str) -> Response:
        task = visible_task(request.user, task_id)
        after = PageSerializer(data=request.query_params)
        after.is_valid(raise_exception=True)
        entries, entries_next, has_entries = _page(
            entries_of_task(task.task_id).select_related("chain"), "entries_after", after
        )
        rows, hosts_next, has_hosts = _page(hosts_of_task(task), "hosts_after", after)
        hosts = defaultdict(list)
        for row in rows:
            hosts[row.wave.run_id].append(row)
        plan, runs = current_plan(task), task.runs.select_related("plan").order_by("pk")
        steps = (
            ApprovalStep.objects.filter(round__task=task)
            .select_related("round", "requester", "original_owner", "approver", "decided_by")
            .order_by("round__number", "order")
        )
        text = shown_to(request.user, task.text, institution_id=task.institution_id, author_id=task.requester_id)
        body = {
            "task": {**TaskSerializer(task).data, "text": text},
            "plan_digest": plan.digest if plan else None,
            "plan_changes": PartChangeSerializer(voided_differences(task), many=True).data,
            "approvals": ApprovalStepSerializer(steps, many=True).data,
            "runs": RunSerializer(runs, many=True, context={"hosts": hosts}).data,
            "entries": EntrySerializer(entries, many=True).data,
            "next": f"{request.path}?{urlencode(entries_next | hosts_next)}" if has_entries or has_hosts else None,
        }
        return Response(body)


def _page(rows: QuerySet[M], name: str, after: PageSerializer) -> tuple[list[M], dict[str, int], bool]:
    """The rows behind the key that `after` names, the key of the last of them, and whether more follow."""
    key = after.validated_data[name]
    found = list(rows.filter(pk__gt=key).order_by("pk")[: _PER_PAGE + 1])
    shown = found[:_PER_PAGE]
    return shown, {name: shown[-1].pk if shown else key}, len(found) > _PER_PAGE
