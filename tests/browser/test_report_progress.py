"""The page of a report shows by itself how far it is, and what it is when it is ready."""

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from audit.choices import ReportKind
from audit.models import Report
from audit.services.make_report import make_report
from tests.audit.reports.month import October, order
from tests.browser.test_screens import CHROMIUM, chromium
from tests.doors import browser as logged_in

__all__ = ["chromium"]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


def test_the_page_follows_the_report(chromium: Browser, live_server: LiveServer) -> None:
    october = October()
    report = order(october.auditor, ReportKind.VERIFICATION, institution=october.institution)
    context = chromium.new_context(locale="ko-KR")
    cookies = logged_in(october.auditor, "ko").cookies
    context.add_cookies([{"name": name, "value": cookies[name].value, "url": live_server.url} for name in cookies])
    page, said = context.new_page(), list[str]()
    page.on("console", lambda told: said.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{live_server.url}/reports/{report.pk}/")
    state = page.locator("#report-state")
    expect(state).to_contain_text("대기 중")
    Report.objects.filter(pk=report.pk).update(state="RUNNING", done=30, total=100)
    expect(state).to_contain_text("30 %", timeout=20_000)
    Report.objects.filter(pk=report.pk).update(state="QUEUED")
    make_report(report.pk)
    expect(state).to_contain_text("완료", timeout=20_000)
    expect(page.get_by_text(Report.objects.get().digest)).to_be_visible()
    assert said == []
    context.close()
