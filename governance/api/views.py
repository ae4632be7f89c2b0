from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.proof import proof_sent
from accounts.caller import caller
from accounts.choices import TokenScope
from governance.api.serializers import ApprovalRequestSerializer, ApprovalResultSerializer, ApprovalStepSerializer
from governance.choices import Decision, StepStatus
from governance.models import ApprovalStep
from governance.services.decide_step import decide_step
from guardia.common.error_responses import refusals
from guardia.common.errors import NotVisible
from guardia.common.parsers import validated
from tickets.choices import Channel
from tickets.models import OpsTask
from tickets.selectors import visible_task


class ApprovalView(APIView):
    """Decide an approval step. 200 with the step; 403 when it isn't yours, 409 when it was decided or has changed."""

    token_scope = TokenScope.APPROVE

    @extend_schema(
        request=ApprovalRequestSerializer,
        responses={200: ApprovalResultSerializer, **refusals(400, 404, 409, 415)},
        operation_id="approval_process",
    )
    def post(self, request: Request) -> Response:
        data = validated(ApprovalRequestSerializer, request)
        task = visible_task(request.user, data["task_id"])
        step = decide_step(
            actor=caller(request),
            step_pk=_step_of(task, data.get("step_id")).pk,
            decision=Decision(data["decision"]),
            digest=data["plan_digest"],
            channel=Channel.API,
            comment=data["comment"],
            proof=proof_sent(request, data["password"], data["otp"]),
        )
        task = visible_task(request.user, data["task_id"])
        return Response(
            {"task_id": task.task_id, "task_status": task.status, "step": ApprovalStepSerializer(step).data}
        )


def _step_of(task: OpsTask, step_pk: int | None) -> ApprovalStep:
    """The named step of this task, or the one whose turn it is; the last one where all are decided."""
    steps = ApprovalStep.objects.filter(round__task=task).order_by("-round__number", "order")
    if step_pk is not None:
        step = steps.filter(pk=step_pk).first()
    else:
        step = steps.filter(status=StepStatus.PENDING).first() or steps.order_by("-pk").first()
    if step is None:
        raise NotVisible
    return step
