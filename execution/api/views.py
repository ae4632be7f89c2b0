from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.proof import proof_sent
from accounts.caller import caller
from accounts.choices import TokenScope
from execution.api.serializers import (
    HaltRequestSerializer,
    HaltSerializer,
    HaltsSerializer,
    LiftRequestSerializer,
    RunActSerializer,
    RunStateSerializer,
)
from execution.choices import HaltScope, RollbackScope
from execution.halts.lift import lift_halt
from execution.halts.press import halt
from execution.halts.who import halts_visible_to
from execution.rollout.resume_run import resume_run
from execution.rollout.retry_failed import retry_failed
from execution.rollout.steer_run import abort_run, pause_run, skip_host
from execution.selectors import latest_run
from guardia.common.error_responses import refusals
from guardia.common.parsers import validated
from tickets.selectors import visible_task


class HaltView(APIView):
    """The kill switch: what is pressed now (GET), and pressing it (POST). Personal tokens may only look."""

    token_scope = TokenScope.READ

    @extend_schema(responses={200: HaltsSerializer, **refusals()}, operation_id="halt_state")
    def get(self, request: Request) -> Response:
        living = halts_visible_to(caller(request)).filter(lifted_at=None)
        return Response(HaltsSerializer({"halts": living}).data)

    @extend_schema(
        request=HaltRequestSerializer,
        responses={201: HaltSerializer, **refusals(400, 404, 409, 415)},
        operation_id="halt_press",
    )
    def post(self, request: Request) -> Response:
        data = validated(HaltRequestSerializer, request)
        pressed = halt(
            actor=caller(request),
            scope=HaltScope(data["scope"]),
            institution=data["institution"],
            task_id=data["task_id"],
            reason=data["reason"],
            rolls_back=data["rolls_back"],
        )
        return Response(HaltSerializer(pressed).data, status=201)


class LiftView(APIView):
    """Lift what is pressed. 403 without the password or code where more than one run is halted."""

    @extend_schema(
        request=LiftRequestSerializer,
        responses={200: HaltSerializer, **refusals(400, 404, 409, 415)},
        operation_id="halt_lift",
    )
    def post(self, request: Request) -> Response:
        data = validated(LiftRequestSerializer, request)
        proof = proof_sent(request, data["password"], data["otp"])
        lifted = lift_halt(actor=caller(request), pk=data["halt_id"], reason=data["reason"], proof=proof)
        return Response(HaltSerializer(lifted).data)


class RunActView(APIView):
    """Steer the run of a task: pause, resume, leave a host out, try what failed again, abort. 403 for whom it isn't,
    and for personal tokens."""

    @extend_schema(
        request=RunActSerializer,
        responses={200: RunStateSerializer, **refusals(400, 404, 409, 415)},
        operation_id="run_act",
    )
    def post(self, request: Request) -> Response:
        data = validated(RunActSerializer, request)
        task = visible_task(request.user, data["task_id"])
        given: Any = {"actor": caller(request), "task_id": task.task_id, "reason": data["reason"]}
        if data["act"] == "skip":
            skip_host(**given, hostname=data["hostname"])
        elif data["act"] == "abort":
            abort_run(**given, rollback=RollbackScope(data["rollback"]))
        else:
            {"pause": pause_run, "resume": resume_run, "retry": retry_failed}[data["act"]](**given)
        return Response(RunStateSerializer(latest_run(task)).data)
