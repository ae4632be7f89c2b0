"""Fixtures that all suites share. The database is the real one; the network ends at loopback."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.db import connection

# A slow machine is no finding of a property.
hypothesis.settings.register_profile("guardia", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("guardia")


def pytest_configure() -> None:
    """What only a browser or an attacker would notice is made cheap: hashing, and the manifest of static files."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Tests with real transactions are cleaned by TRUNCATE, which the chain refuses: that one trigger is lifted for
    the suite, and `tests/audit/test_append_only.py` puts it back to prove it."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'pgtrigger_no_truncate%%'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE audit_entry DISABLE TRIGGER "{name}"')


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> Path:
    """Artefacts and keys of each test lie in its own folder."""
    settings.GUARDIA_HOME = tmp_path
    settings.GUARDIA_ARTEFACTS = tmp_path / "artefacts"
    return tmp_path


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anywhere else is a defect of the test or of the product."""
    original = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(
            ("127.", "::1", "localhost")
        ):
            raise AssertionError(f"a test reached for {address}")
        original(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture
def in_english(settings: Any) -> Iterator[None]:
    from django.utils import translation

    settings.LANGUAGE_CODE = "en"
    with translation.override("en"):
        yield
