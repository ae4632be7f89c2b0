"""What the checks say of a directory that can't be asked, and of roles that don't exist."""

from typing import Any

import pytest

from guardia.checks import directory_is_complete, roles_exist, witnesses_are_known
from guardia.ldap import ldap_is_installed, ldap_settings

COMPLETE = {
    "GUARDIA_LDAP_URL": "ldaps://127.0.0.1",
    "GUARDIA_LDAP_USER_BASE": "ou=people,dc=example",
    "GUARDIA_LDAP_START_TLS": True,
}
CASES: list[tuple[dict[str, Any], set[str]]] = [
    ({}, set()),
    ({"GUARDIA_LDAP_START_TLS": False}, set()),
    ({"GUARDIA_LDAP_URL": "ldap://127.0.0.1"}, set()),
    ({"GUARDIA_LDAP_URL": "ldap://127.0.0.1", "GUARDIA_LDAP_START_TLS": False}, {"guardia.E008"}),
    ({"GUARDIA_LDAP_USER_BASE": ""}, {"guardia.E007"}),
]


@pytest.mark.parametrize(("change", "expected"), CASES)
def test_what_is_missing_of_a_directory_is_said(settings: Any, change: dict[str, Any], expected: set[str]) -> None:
    for name, value in {**COMPLETE, **change}.items():
        setattr(settings, name, value)
    missing = set() if ldap_is_installed() else {"guardia.E006"}
    assert {found.id for found in directory_is_complete()} == expected | missing


def test_without_a_directory_nothing_is_asked_of_it(settings: Any) -> None:
    settings.GUARDIA_LDAP_URL = ""
    assert directory_is_complete() == []
    nothing = ldap_settings(url="", bind_dn="", bind_password="", user_base="", user_filter="", start_tls=True)
    assert nothing == {}


def test_a_role_that_nobody_can_hold_is_named(settings: Any) -> None:
    settings.GUARDIA_REQUIRE_TOTP_FOR = ["PM", "PMO"]
    (found,) = roles_exist()
    assert found.id == "guardia.E009" and "PMO" in found.msg


def test_a_witness_that_no_store_can_be_made_of_is_said_at_start_without_its_password(settings: Any) -> None:
    settings.GUARDIA_CHECKPOINT_WITNESSES = ["smtp://mail.test?to=a", "ftp://root:canary@host/x"]
    (found,) = witnesses_are_known()
    assert found.id == "guardia.E010" and "ftp" in found.msg and "canary" not in found.msg
