"""A made-up October in one institution, and what a report says about it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from django.db import models, transaction

from accounts.choices import Role
from accounts.models import Institution, User
from audit.choices import ReportFormat, ReportKind
from audit.models import Report
from audit.reports import store
from audit.services import record
from audit.services.make_report import make_report
from audit.services.order_report import order_report
from guardia.common.context import traced
from tests.factories import make_institution, make_user

SEOUL = ZoneInfo("Asia/Seoul")
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
PLAN, OUTPUT = "ab" * 32, "cd" * 32


@contextmanager
def on_the_clock(moment: datetime) -> Iterator[None]:
    """The clock of the chain stands still."""
    with patch("audit.services.record.now", lambda: moment):
        yield


def at(day: int, hour: int, minute: int = 0, month: int = 10) -> datetime:
    """A moment in Seoul."""
    return datetime(2026, month, day, hour, minute, tzinfo=SEOUL).astimezone(UTC)


class October:
    """Entries of one task, of log-ins, of a download and of a refusal; and some outside of the month."""

    def __init__(self) -> None:
        self.institution = make_institution("MOEF", "기획재정부")
        self.site = self.person(Role.SITE_MANAGER, "kim.site", "김현장")
        self.lead = self.person(Role.TEAM_LEAD, "lee.lead", "이책임")
        self.pm = self.person(Role.PM, "park.pm", "박피엠")
        self.auditor = self.person(Role.AUDITOR, "moon.auditor", "문감사")
        self.security = self.person(Role.SECURITY_OFFICER, "jung.security", "정보안")
        self.other = make_institution("MOIS", "행정안전부")
        self.stranger = make_user(Role.AUDITOR, self.other, username="cho.other", display_name="조타인")
        self._fill()

    def person(self, role: Role, username: str, name: str) -> User:
        return make_user(role, self.institution, username=username, display_name=name)

    def tell(
        self,
        moment: datetime,
        action: str,
        actor: User | str,
        institution: Institution | None,
        subject: models.Model | None = None,
        ip: str = "",
        **more: Any,
    ) -> None:
        with on_the_clock(moment), traced(source_ip=ip, channel="portal" if ip else ""), transaction.atomic():
            record(action=action, actor=actor, institution=institution, subject=subject, **more)

    def _fill(self) -> None:
        task, here = "OPS-20261012-001", self.institution
        step: Any = {"task_id": task, "system": "MOEF-BUDGET", "server": "moef-was-01"}
        self.tell(at(30, 23, 59, month=9), "task.received", self.site, here, task_id="OPS-20260930-009")
        self.tell(at(1, 0), "session.logged_in", self.site, None, self.site, "10.1.0.7")
        self.tell(at(12, 9, 5), "task.received", self.site, here, here, "10.1.0.7", task_id=task, summary="예산 배포")
        approved = {"task_id": task, "plan_digest": PLAN, "summary": "확인함"}
        self.tell(at(12, 10), "approval.approved", self.lead, here, here, "10.1.0.8", **approved)
        self.tell(at(12, 10, 5), "approval.approved", "guardia", here, here, task_id=task)
        self.tell(
            at(12, 11), "step.ok", "guardia-worker", here, step="stop", result_code=0, output_sha256=OUTPUT, **step
        )
        self.tell(at(12, 11, 1), "step.failed", "guardia-worker", here, step="start", result_code=7, **step)
        self.tell(at(20, 3), "session.logged_in", self.stranger, None, self.stranger, "10.9.9.9")
        self.tell(at(21, 14), "chain.exported", self.auditor, here, ip="10.1.0.9", summary="국정감사 자료")
        self.tell(at(22, 14), "table.exported", self.stranger, self.other, ip="10.9.9.9", summary="남의 자료")
        self.tell(at(31, 23, 59), "access.refused", self.pm, here, ip="192.0.2.5", summary="허용되지 않은 접속지")
        self.tell(at(1, 0, month=11), "session.logged_in", self.site, None, self.site, "10.1.0.7")


def order(actor: User, kind: ReportKind, format: ReportFormat = ReportFormat.JSONL, **more: Any) -> Report:
    given: dict[str, Any] = {"institution": None, "since": FIRST, "until": LAST, "reason": "월간 점검", **more}
    return order_report(actor=actor, kind=kind, format=format, **given)


def made(actor: User, kind: ReportKind, format: ReportFormat = ReportFormat.JSONL, **more: Any) -> Report:
    """Ordered, and made by this very process."""
    report = order(actor, kind, format, **more)
    make_report(report.pk)
    found = Report.objects.get(pk=report.pk)
    assert found.state == "READY", found.error
    return found


def content_of(report: Report) -> bytes:
    with store.open_file(report) as file:
        return file.read()


def lines_of(report: Report, name: str) -> list[dict[str, Any]]:
    """The lines of one type of a report in JSON Lines, without their type."""
    lines = [json.loads(line) for line in content_of(report).decode().splitlines()]
    return [{key: value for key, value in line.items() if key != "type"} for line in lines if line["type"] == name]
