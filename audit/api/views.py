from django.http import FileResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.caller import caller
from accounts.choices import TokenScope
from accounts.models import Institution
from accounts.scope import visible_to
from audit.api.serializers import (
    ExplanationSerializer,
    FindingSerializer,
    ReportOrderSerializer,
    ReportReasonSerializer,
    ReportSerializer,
    ReportsSerializer,
)
from audit.choices import ReportFormat, ReportKind
from audit.reports.answer import file_answer
from audit.selectors import readable_reports, visible_report
from audit.services.order_report import order_report, retry_report
from audit.services.review_report import explain_entry, sign_off_review
from audit.services.take_report import take_report
from guardia.common.error_responses import refusals
from guardia.common.errors import NotVisible
from guardia.common.parsers import validated

_LISTED = 100


class ReportsView(APIView):
    """The newest reports of one's institutions (GET), and ordering one (POST). Personal tokens may only look."""

    token_scope = TokenScope.READ

    @extend_schema(responses={200: ReportsSerializer, **refusals()}, operation_id="report_list")
    def get(self, request: Request) -> Response:
        found = readable_reports(caller(request))[:_LISTED]
        return Response(ReportsSerializer({"reports": found}).data)

    @extend_schema(
        request=ReportOrderSerializer,
        responses={202: ReportSerializer, **refusals(400, 404, 409)},
        operation_id="report_order",
    )
    def post(self, request: Request) -> Response:
        data = validated(ReportOrderSerializer, request)
        report = order_report(
            actor=caller(request),
            kind=ReportKind(data["kind"]),
            format=ReportFormat(data["format"]),
            institution=_institution(request, data["institution"]),
            since=data["since"],
            until=data["until"],
            subject=data["subject"],
            reason=data["reason"],
            language=get_language() or "ko",
        )
        return Response(ReportSerializer(report).data, status=202)


class ReportView(APIView):
    """One report: how far it is, or what its file is."""

    token_scope = TokenScope.READ

    @extend_schema(responses={200: ReportSerializer, **refusals(404)}, operation_id="report_state")
    def get(self, request: Request, report_pk: int) -> Response:
        visible_report(caller(request), report_pk)  # 404 before 403
        found = readable_reports(caller(request)).filter(pk=report_pk).first()
        if found is None:
            self.permission_denied(request, _("You may not do this."))
        return Response(ReportSerializer(found).data)


class ReportDownloadView(APIView):
    """The file of a report that is ready. A POST with a reason: the chain notes who took it and why."""

    @extend_schema(
        request=ReportReasonSerializer,
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **refusals(400, 404, 409, 503)},
        operation_id="report_download",
    )
    def post(self, request: Request, report_pk: int) -> FileResponse:
        data = validated(ReportReasonSerializer, request)
        report, file = take_report(actor=caller(request), report_pk=report_pk, reason=data["reason"])
        return file_answer(report, file)


class ReportRetryView(APIView):
    """Make a report again that failed, or whose file was deleted."""

    @extend_schema(request=None, responses={202: ReportSerializer, **refusals(404, 409)}, operation_id="report_retry")
    def post(self, request: Request, report_pk: int) -> Response:
        return Response(ReportSerializer(retry_report(actor=caller(request), report_pk=report_pk)).data, status=202)


class ReportExplainView(APIView):
    """Explain one entry of an access review."""

    @extend_schema(
        request=ExplanationSerializer,
        responses={200: ReportSerializer, **refusals(400, 404, 409)},
        operation_id="report_explain",
    )
    def post(self, request: Request, report_pk: int) -> Response:
        data = validated(ExplanationSerializer, request)
        given = {"chain": data["entry_chain"], "number": data["entry_number"], "text": data["text"]}
        explanation = explain_entry(actor=caller(request), report_pk=report_pk, **given)
        return Response(ReportSerializer(explanation.report).data)


class ReportSignOffView(APIView):
    """Confirm an access review as a second person."""

    @extend_schema(
        request=FindingSerializer,
        responses={202: ReportSerializer, **refusals(400, 404, 409)},
        operation_id="report_sign_off",
    )
    def post(self, request: Request, report_pk: int) -> Response:
        data = validated(FindingSerializer, request)
        report = sign_off_review(actor=caller(request), report_pk=report_pk, finding=data["finding"])
        return Response(ReportSerializer(report).data, status=202)


def _institution(request: Request, code: str) -> Institution | None:
    if not code:
        return None
    found = visible_to(Institution.objects.filter(code=code), caller(request)).first()
    if found is None:
        raise NotVisible
    return found
