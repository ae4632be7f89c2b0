"""`POST /api/v1/sr/intake`: what comes in, and everything that doesn't, with nothing changed."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.choices import Role
from tests.doors import INTAKE, api, assert_refused
from tests.factories import Tenant, make_institution, make_server, make_system, make_user
from tests.snapshot import nothing_changes
from tickets.models import Artefact, OpsTask

pytestmark = pytest.mark.django_db


def test_json_and_multipart_are_taken_in() -> None:
    tenant = Tenant()
    client = api(tenant.site_manager)
    text = f"{tenant.system.name} WAS 전체에 배포해 주세요"
    # without the artefact the task asks for it
    response = client.post(INTAKE, {"text": text}, format="json")
    assert (response.status_code, response.json()["status"]) == (201, "INF"), response.content
    assert response.json()["needs_info"] == ["artifact"]
    # with it, it can be planned
    response = client.post(
        INTAKE, {"text": text, "artefact": SimpleUploadedFile("../../예산 app.war", b"new version")}, format="multipart"
    )
    body = response.json()
    assert (response.status_code, body["status"], body["sub_type"]) == (201, "PAR", "WAS_ROLLING"), body
    assert body["servers"] == sorted(server.hostname for server in tenant.servers)
    assert body["requester"] == tenant.site_manager.username and body["channel"] == "api"
    artefact = Artefact.objects.get(task__task_id=body["task_id"])
    assert (artefact.name, artefact.path.read_bytes()) == ("예산 app.war", b"new version")


def test_system_and_servers_can_be_named_outright() -> None:
    tenant = Tenant()
    named = [tenant.servers[0].hostname]
    body = {"text": "WAS 재기동해 주세요", "system": tenant.system.code, "servers": named}
    response = api(tenant.site_manager).post(INTAKE, body, format="json")
    assert response.status_code == 201, response.content
    assert (response.json()["system"], response.json()["servers"]) == (tenant.system.code, named)


def _bad_json(tenant: Tenant, stranger: Tenant) -> list[tuple[Any, int, str]]:
    """(body, status, code) of everything that must be refused."""
    text = f"{tenant.system.name} WAS 재기동해 주세요"
    other = make_server(make_system(tenant.institution))
    return [
        ({}, 400, "invalid"),
        ({"text": ""}, 400, "invalid"),
        ({"text": " \n\t　"}, 400, "invalid"),
        ({"text": None}, 400, "invalid"),
        ({"text": ["재기동"]}, 400, "invalid"),
        ({"text": {"a": 1}}, 400, "invalid"),
        ({"text": True}, 400, "invalid"),
        ([], 400, "invalid"),
        ([text], 400, "invalid"),
        ("text", 400, "invalid"),
        (None, 400, "invalid"),
        ({"text": "가" * 10_001}, 400, "invalid"),
        ({"text": "재기동\x00해 주세요"}, 400, "invalid"),
        ({"text": "재기동 \ud800"}, 400, "invalid"),
        ({"text": text, "servers": ["없는서버"]}, 400, "unknown_server"),
        ({"text": text, "servers": [stranger.servers[0].hostname]}, 400, "unknown_server"),
        ({"text": text, "servers": [tenant.servers[0].hostname, other.hostname]}, 400, "unknown_server"),
        ({"text": text, "servers": ["h"] * 1001}, 400, "invalid"),
        ({"text": text, "servers": "host"}, 400, "invalid"),
        ({"text": text, "servers": [["host"]]}, 400, "invalid"),
        ({"text": text, "servers": ["h\x00"]}, 400, "invalid"),
        ({"text": text, "servers": ["h" * 129]}, 400, "invalid"),
        ({"text": text, "system": "NOWHERE"}, 400, "unknown_system"),
        ({"text": text, "system": stranger.system.code}, 400, "unknown_system"),
        ({"text": text, "system": ["a"]}, 400, "invalid"),
        ({"text": text, "system": "s" * 33}, 400, "invalid"),
        ({"text": text, "artefact": "not a file"}, 400, "invalid"),
        ({"text": f"{stranger.system.name} WAS 재기동해 주세요"}, 403, "not_your_system"),
        ({"text": f"{stranger.institution.name} 시스템 재기동해 주세요"}, 403, "not_your_system"),
    ]


def test_every_bad_body_is_refused_and_changes_nothing() -> None:
    tenant, stranger = Tenant(), Tenant()
    client = api(tenant.site_manager)
    cases = _bad_json(tenant, stranger)
    with nothing_changes():
        for body, status, code in cases:
            response = client.post(INTAKE, json.dumps(body), content_type="application/json")
            refusal = assert_refused(response, status, code)
            assert stranger.system.name not in refusal["message"]
            assert stranger.institution.name not in refusal["message"]


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "parse_error"),
        (b"", "application/json", 400, "invalid"),
        (b"\xff\xfe", "application/json", 400, "parse_error"),
        (b'{"text": NaN}', "application/json", 400, "parse_error"),
        (b"[" * 100_000, "application/json", 400, "parse_error"),
        (b"<a/>", "application/xml", 415, "unsupported_media_type"),
        (b"text=1", "multipart/form-data", 400, "parse_error"),
    ],
)
def test_what_cannot_be_read_is_refused(content: bytes, content_type: str, status: int, code: str) -> None:
    client = api(Tenant().site_manager)
    with nothing_changes():
        assert_refused(client.post(INTAKE, content, content_type=content_type), status, code)


def test_an_artefact_over_the_limit_is_refused_and_leaves_no_bytes(settings: Any) -> None:
    tenant = Tenant()
    settings.GUARDIA_ARTEFACT_LIMIT = 1000
    body = {"text": "배포", "artefact": SimpleUploadedFile("app.war", b"x" * 1001)}
    with nothing_changes():
        refusal = assert_refused(
            api(tenant.site_manager).post(INTAKE, body, format="multipart"), 413, "artefact_too_large"
        )
    assert "MiB" in refusal["message"]
    assert [path for path in settings.GUARDIA_ARTEFACTS.rglob("*") if path.is_file()] == []
    body["artefact"] = SimpleUploadedFile("app.war", b"")
    with nothing_changes():
        assert_refused(api(tenant.site_manager).post(INTAKE, body, format="multipart"), 400, "invalid")


def test_who_belongs_nowhere_files_nothing() -> None:
    make_institution()
    nobody = make_user()
    with nothing_changes():
        assert_refused(api(nobody).post(INTAKE, {"text": "도와주세요"}, format="json"), 403, "not_permitted")


def test_other_methods_are_refused() -> None:
    client = api(make_user(Role.PM, make_institution()))
    for method in (client.get, client.put, client.patch, client.delete):
        assert_refused(method(INTAKE), 405, "method_not_allowed")
    assert not OpsTask.objects.exists()
