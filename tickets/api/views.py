from drf_spectacular.utils import extend_schema
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.caller import caller
from accounts.choices import TokenScope
from guardia.common.error_responses import refusals
from guardia.common.parsers import BoundedJSONParser
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
        given = IntakeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        task = file_task(
            actor=caller(request),
            text=given.validated_data["text"],
            channel=Channel.API,
            artefact=given.validated_data.get("artefact"),
            system_code=given.validated_data["system"],
            hostnames=given.validated_data["servers"],
            key=given.validated_data["key"],
        )
        return Response(TaskSerializer(task).data, status=201)
