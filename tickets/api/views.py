from drf_spectacular.utils import extend_schema
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.caller import caller
from accounts.choices import TokenScope
from guardia.common.error_responses import refusals
from guardia.common.parsers import BoundedJSONParser, validated
from tickets.api.serializers import IntakeSerializer, TaskSerializer
from tickets.choices import Channel
from tickets.services.file_task import file_task


class IntakeView(APIView):
    """File a request. 201 with the task: `PAR` when it can be planned, `INF` when `needs_info` is missing."""

    token_scope = TokenScope.FILE
    parser_classes = (BoundedJSONParser, MultiPartParser, FormParser)

    @extend_schema(
        request=IntakeSerializer,
        responses={201: TaskSerializer, **refusals(400, 409, 413, 415, 503)},
        operation_id="sr_intake",
    )
    def post(self, request: Request) -> Response:
        given = validated(IntakeSerializer, request)
        task = file_task(
            actor=caller(request),
            text=given["text"],
            channel=Channel.API,
            artefact=given.get("artefact"),
            system_code=given["system"],
            hostnames=given["servers"],
            key=given["key"],
        )
        return Response(TaskSerializer(task).data, status=201)
