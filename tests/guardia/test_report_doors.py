"""Reports as people and programs meet them: the pages, the API, the file."""

import base64
import hashlib
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import Role
from accounts.models import User
from accounts.services.tokens import create_token
from audit.choices import ReportFormat, ReportKind
from audit.models import Entry, Report
from audit.services.make_report import make_report
from audit.services.review_report import explain_entry
from guardia.common.clock import now
from tests.audit.reports.month import October, at, content_of, made, order
from tests.audit.words import body_of_entry
from tests.doors import api, assert_refused, browser
from tests.factories import make_user
from tests.snapshot import nothing_changes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
ORDER = {"kind": "VERIFICATION", "format": "jsonl", "since": "2026-10-01", "until": "2026-10-31", "reason": "감사"}
REVIEW = ReportKind.ACCESS_REVIEW


def body_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def last_entry() -> dict[str, Any]:
    return body_of_entry(Entry.objects.latest("pk"))


def test_an_order_by_page_leads_to_its_progress_and_then_to_its_file() -> None:
    october = October()
    client = browser(october.auditor)
    form = client.get("/reports/").content.decode()
    assert "Order a report" in form and "기획재정부" in form and "행정안전부" not in form
    assert "All institutions" not in form, "not this auditor's to choose"
    response = client.post("/reports/", {**ORDER, "institution": october.institution.pk})
    report = Report.objects.get()
    path = f"/reports/{report.pk}/"
    assert response.status_code == 302 and response["Location"] == path
    page = client.get(path).content.decode()
    assert "Waits for a worker" in page and "report.js" in page and "<progress" in page
    Report.objects.filter(pk=report.pk).update(state="RUNNING", done=25, total=100)
    assert re.search(r"25 %: 25 of 100 rows", client.get(path).content.decode())
    Report.objects.filter(pk=report.pk).update(state="QUEUED")
    make_report(report.pk)
    report = Report.objects.get()
    page = client.get(path).content.decode()
    assert report.digest in page and "report.js" not in page and "institution:MOEF" in page
    assert client.get(f"{path}download/").status_code == 405
    with nothing_changes():
        assert client.post(f"{path}download/", {"reason": " "}).status_code == 400
    answer = client.post(f"{path}download/", {"reason": "국정감사"}, REMOTE_ADDR="10.1.0.3")
    assert hashlib.sha256(body_of(answer)).hexdigest() == report.digest
    name = f'attachment; filename="guardia-report-{report.pk}-verification-2026-10-01.jsonl"'
    assert answer["Content-Disposition"] == name and answer["Cache-Control"] == "no-store"
    entry = last_entry()
    assert (entry["action"], entry["summary"], entry["channel"]) == ("report.downloaded", "국정감사", "portal")


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed() -> None:
    october = October()
    client = browser(october.auditor)
    bad = {**ORDER, "institution": october.institution.pk, "since": "2026-11-01", "reason": "국정감사"}
    with nothing_changes():
        response = client.post("/reports/", bad)
        assert response.status_code == 400
        page = response.content.decode()
        assert "a year at most" in page and 'value="국정감사"' in page
        assert client.post("/reports/", {**ORDER, "institution": october.other.pk}).status_code == 400
        assert client.post("/reports/", {**ORDER, "institution": ""}).status_code == 400
        assert client.post("/reports/", {**ORDER, "reason": "a\x00b"}).status_code == 400


def test_others_are_told_who_may() -> None:
    october = October()
    report = made(october.auditor, REVIEW, institution=october.institution)
    for person in (october.site, october.lead, october.pm):
        pages = browser(person)
        for path in ("/reports/", f"/reports/{report.pk}/"):
            response = pages.get(path)
            assert response.status_code == 403 and "문감사" in response.content.decode()
        assert "/reports/" not in pages.get("/more/").content.decode()
        answer = api(person).get(f"/api/v1/reports/{report.pk}")
        assert answer.status_code == 403
        assert api(person).get("/api/v1/reports").json() == {"reports": []}
    assert browser(october.stranger).get(f"/reports/{report.pk}/").status_code == 404
    assert "/reports/" in browser(october.security).get("/more/").content.decode()


def test_a_review_is_explained_and_confirmed_on_its_page() -> None:
    october = October()
    report = made(october.auditor, REVIEW, institution=october.institution)
    author, second = browser(october.auditor), browser(october.security)
    path = f"/reports/{report.pk}/"
    page = author.get(path).content.decode()
    assert all(words in page for words in ("Taken out", "Refused", "At night", "Chain exported", "국정감사 자료"))
    assert "Confirm the review" not in page and "Confirm the review" in second.get(path).content.decode()
    number = Entry.objects.get(action="chain.exported").number
    said = {"chain": "institution:MOEF", "number": number, "text": "국회 요구 <b>자료</b>"}
    assert author.post(f"{path}explain/", said).status_code == 302
    page = second.get(path).content.decode()
    assert "국회 요구 &lt;b&gt;자료" in page and "1 of 3 entries" in page
    with nothing_changes():
        assert author.post(f"{path}explain/", {**said, "number": 99}).status_code == 404
        assert author.post(f"{path}explain/", {**said, "number": "x"}).status_code == 400
        assert author.post(f"{path}sign-off/", {"reason": "이상 없음"}).status_code == 403
        assert second.post(f"{path}sign-off/", {"reason": ""}).status_code == 400
    assert second.post(f"{path}sign-off/", {"reason": "이상 없음"}).status_code == 302
    make_report(report.pk)
    page = author.get(path).content.decode()
    assert "이상 없음" in page and "정보안" in page and "Explain it" not in page
    lines = [json.loads(line) for line in content_of(Report.objects.get()).decode().splitlines()]
    signatures = [(line["name"], line["words"]) for line in lines if line["type"] == "signature"]
    assert signatures == [("문감사", "월간 점검"), ("정보안", "이상 없음")]


def test_a_failed_report_offers_a_way_on() -> None:
    october = October()
    report = order(october.auditor, REVIEW, institution=october.institution)
    Report.objects.filter(pk=report.pk).update(state="FAILED", error="Its worker died.")
    client, path = browser(october.auditor), f"/reports/{report.pk}/"
    page = client.get(path).content.decode()
    assert "Its worker died." in page and f"{path}retry/" in page
    assert client.post(f"{path}retry/").status_code == 302
    assert Report.objects.get().state == "QUEUED"
    assert client.post(f"{path}retry/").status_code == 409
    Report.objects.filter(pk=report.pk).update(state="EXPIRED", made_at=now(), expires_at=now() - timedelta(1))
    assert "Make it again" in client.get(path).content.decode()


def test_the_whole_way_by_the_api() -> None:
    october = October()
    client, second = api(october.auditor), api(october.security)
    answer = client.post("/api/v1/reports", {**ORDER, "kind": "ACCESS_REVIEW", "institution": "MOEF"}, format="json")
    assert answer.status_code == 202
    body = answer.json()
    path = f"/api/v1/reports/{body['report_id']}"
    assert (body["state"], body["percent"], body["digest"], body["requested_by"]) == ("QUEUED", 0, "", "moon.auditor")
    assert_refused(client.post(f"{path}/download", {"reason": "x"}, format="json"), 409, "stale_state")
    make_report(body["report_id"])
    body = client.get(path).json()
    assert (body["state"], body["percent"], body["rows"], body["chain"]) == ("READY", 100, 5, "institution:MOEF")
    assert client.get("/api/v1/reports").json()["reports"] == [body]
    assert_refused(client.post(f"{path}/download", {}, format="json"), 400, "reason_missing")
    answer = client.post(f"{path}/download", {"reason": "국정감사"}, format="json")
    assert hashlib.sha256(body_of(answer)).hexdigest() == body["digest"]
    said = base64.b64encode(bytes.fromhex(body["digest"])).decode()
    assert answer["Repr-Digest"] == f"sha-256=:{said}:"
    explanation = {"entry_chain": "institution:MOEF", "entry_number": 7, "text": "국회 요구"}
    assert client.post(f"{path}/explain", explanation, format="json").status_code == 200
    assert_refused(client.post(f"{path}/sign-off", {"finding": "x"}, format="json"), 403, "second_person")
    assert second.post(f"{path}/sign-off", {"finding": "이상 없음"}, format="json").status_code == 202
    assert_refused(client.post(f"{path}/retry", {}, format="json"), 409, "stale_state")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "SECRETS"}, {"format": "exe"}, {"since": "yesterday"}, {"until": None}, {"reason": ""},
        {"reason": "x" * 501}, {"subject": "a\x00"}, {"institution": ["MOEF"]}, {"since": "2026-12-01"},
    ],
)  # fmt: skip
def test_wrong_orders_by_the_api_are_told_in_our_one_form(wrong: dict[str, Any]) -> None:
    october = October()
    with nothing_changes():
        answer = api(october.auditor).post("/api/v1/reports", {**ORDER, "institution": "MOEF", **wrong}, format="json")
        assert answer.status_code == 400 and set(answer.json()) == {"code", "message", "details"}


def test_a_personal_token_looks_and_takes_nothing() -> None:
    october = October()
    report = made(october.auditor, REVIEW, ReportFormat.PDF, institution=october.institution)
    _token, clear = create_token(actor=october.auditor, name="n", scopes=["read", "file", "approve"], days=1)
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {clear}")
    assert client.get("/api/v1/reports").status_code == 200
    assert client.get(f"/api/v1/reports/{report.pk}").status_code == 200
    assert client.post("/api/v1/reports", {**ORDER, "institution": "MOEF"}, format="json").status_code == 403
    for act in ("download", "retry", "explain", "sign-off"):
        answer = client.post(f"/api/v1/reports/{report.pk}/{act}", {"reason": "x"}, format="json")
        assert answer.status_code == 403, act


def test_the_language_of_a_report_is_that_of_whoever_orders_it() -> None:
    october = October()
    for language, title in (("ko", "무결성 검증 보고서"), ("en", "Verification report")):
        client = api(october.auditor, language)
        body = client.post("/api/v1/reports", {**ORDER, "institution": "MOEF"}, format="json").json()
        make_report(body["report_id"])
        first = content_of(Report.objects.get(pk=body["report_id"])).decode().splitlines()[0]
        assert json.loads(first)["title"] == title


def test_superusers_and_auditors_of_all_may_report_on_everything() -> None:
    October()
    for person in (User.objects.create_superuser("of-all"), make_user(Role.AUDITOR)):
        client = browser(person)
        assert "All institutions" in client.get("/reports/").content.decode()
        assert client.post("/reports/", ORDER).status_code == 302


def test_the_page_of_a_review_costs_at_most_twenty_queries_however_much_stands_out() -> None:
    october = October()
    for day in range(1, 31):
        october.tell(at(day, 15), "table.exported", october.pm, october.institution, ip="10.1.0.9", summary="표")
    report = made(october.auditor, REVIEW, institution=october.institution)
    for number in (9, 10, 11):
        said: Any = {"chain": "institution:MOEF", "number": number, "text": "표"}
        explain_entry(actor=october.security, report_pk=report.pk, **said)
    for person in (october.auditor, october.security):
        client = browser(person)
        for path in (f"/reports/{report.pk}/", f"/reports/{report.pk}/?page=2", "/reports/"):
            with CaptureQueriesContext(connection) as asked:
                assert client.get(path).status_code == 200
            assert len(asked) <= 20, (path, len(asked))
