from django.contrib import admin
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_required
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from audit.api import views as reports
from execution.api import gateways
from execution.api.views import HaltView, LiftView, RunActView
from governance.api.views import ApprovalView
from guardia import health
from guardia.api.history import HistoryView
from guardia.api.token import RefreshView, TokenView
from guardia.portal import door
from tickets.api.views import IntakeView

api: list[URLPattern | URLResolver] = [
    path("token/", TokenView.as_view(), name="token"),
    path("token/refresh/", RefreshView.as_view(), name="token-refresh"),
    path("sr/intake", IntakeView.as_view(), name="sr-intake"),
    path("approval/process", ApprovalView.as_view(), name="approval-process"),
    path("halt", HaltView.as_view(), name="halt"),
    path("halt/lift", LiftView.as_view(), name="halt-lift"),
    path("run/act", RunActView.as_view(), name="run-act"),
    path("reports", reports.ReportsView.as_view(), name="reports"),
    path("reports/<int:report_pk>", reports.ReportView.as_view(), name="report"),
    path("reports/<int:report_pk>/download", reports.ReportDownloadView.as_view(), name="report-download"),
    path("reports/<int:report_pk>/retry", reports.ReportRetryView.as_view(), name="report-retry"),
    path("reports/<int:report_pk>/explain", reports.ReportExplainView.as_view(), name="report-explain"),
    path("reports/<int:report_pk>/sign-off", reports.ReportSignOffView.as_view(), name="report-sign-off"),
    path("task/history/<str:task_id>", HistoryView.as_view(), name="task-history"),
]

#: For gateways alone (docs/gateways.md): every message is signed, nobody is logged in.
gateway: list[URLPattern | URLResolver] = [
    path("enrol", gateways.enrol, name="enrol"),
    path("pull", gateways.pull, name="pull"),
    path("part", gateways.part, name="part"),
    path("artefact", gateways.artefact, name="artefact"),
    path("parcel", gateways.parcel, name="parcel"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("guardia.portal.urls")),
    path("login/", door.DoorView.as_view(), name="login"),
    path("login/code/", door.second_factor, name="login-code"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("language/", include("django.conf.urls.i18n")),
    path("admin/login/", RedirectView.as_view(pattern_name="login", query_string=True)),
    # One door for passwords: ours asks who it is, and ends the other sessions.
    path("admin/password_change/", login_required(RedirectView.as_view(pattern_name="portal:password"))),
    path("admin/", admin.site.urls),
    path("api/v1/", include((api, "api"))),
    path("gateway/v1/", include((gateway, "gateway"))),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
]

handler400 = "guardia.error_pages.bad_request"
handler404 = "guardia.error_pages.not_found"
handler500 = "guardia.error_pages.server_error"
