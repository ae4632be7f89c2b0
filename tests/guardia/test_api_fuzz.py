"""Every operation of the API, given what its own document allows and forbids: it answers as the document says, and
never with an error of ours."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from rest_framework_simplejwt.tokens import AccessToken
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.models import RateBucket, User
from tests.factories import Tenant

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    ignored_auth,
)


def _header(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {AccessToken.for_user(user)}"}


@pytest.fixture
def given_api() -> Iterator[tuple[Any, list[User]]]:
    for signal in (request_started, request_finished):  # the test's own transaction outlives a request
        signal.disconnect(close_old_connections)
    tenant = Tenant()
    tenant.file()
    document = schemathesis.openapi.from_wsgi(
        "/api/schema/?format=json", app=get_wsgi_application(), headers=_header(tenant.pm)
    )
    yield document, [tenant.site_manager, tenant.owner, tenant.pm]
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_operation_keeps_to_its_document(given_api: tuple[Any, list[User]], mode: GenerationMode) -> None:
    (document, callers), asked = given_api, set()
    for found in document.get_all_operations():
        operation = found.ok()
        asked.add(operation.label)

        @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
        @given(case=operation.as_strategy(generation_mode=mode))
        def answered(case: Any) -> None:
            for user in callers:
                RateBucket.objects.all().delete()  # the rates are another test's
                case.call_and_validate(headers=_header(user), checks=CHECKS)

        answered()
    assert len(asked) >= 9
