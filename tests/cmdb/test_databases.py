"""Databases of the CMDB: imported by name and server, and never such that a client would misread them."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.choices import Role
from cmdb.models import Database
from cmdb.services.import_cmdb import import_cmdb
from guardia.common.errors import InvalidInput
from tests.factories import Tenant, make_credential, make_institution, make_user

pytestmark = pytest.mark.django_db


def inventory(**values: Any) -> dict[str, Any]:
    row = {"name": "main", "server": "h1", "dialect": "postgresql", "database": "app", "host": "127.0.0.1", **values}
    return {
        "institutions": [{"code": "A", "name": "기관"}],
        "systems": [{"code": "S", "institution": "A", "name": "업무"}],
        "servers": [{"hostname": "h1", "system": "S", "ip": "127.0.0.1", "role": "db"}],
        "databases": [row],
    }


def test_an_inventory_brings_databases_and_changes_them() -> None:
    operator = make_user(Role.OPERATOR)
    assert import_cmdb(actor=operator, data=inventory(port=5432)).databases == 1
    import_cmdb(actor=operator, data=inventory(database="other"))
    row = Database.objects.get()
    assert (row.database, row.port, row.host, row.credential) == ("other", 5432, "127.0.0.1", None)


@pytest.mark.parametrize(
    "values",
    [
        {"dialect": "oracle"}, {"database": "host=evil"}, {"database": "-c"}, {"host": "-h"}, {"host": "a b"},
        {"client": "psql"}, {"dialect": "sqlite"}, {"dialect": "sqlite", "database": "/a/../b"}, {"port": 0},
        {"server": "h2"}, {"host": ["x"]}, {"credential": "nobody"},
    ],
)  # fmt: skip
def test_a_database_that_a_client_would_misread_is_not_imported(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        import_cmdb(actor=make_user(Role.OPERATOR), data=inventory(**values))
    assert not Database.objects.exists()


def test_its_credential_is_a_password_of_the_same_institution() -> None:
    tenant = Tenant(servers=1)
    row = Database(server=tenant.servers[0], name="x", dialect="postgresql", database="app")
    row.credential = make_credential(make_institution())
    with pytest.raises(ValidationError):
        row.full_clean()
    row.credential = make_credential(tenant.institution, kind="private_key")
    with pytest.raises(ValidationError):
        row.full_clean()
    row.credential = make_credential(tenant.institution)
    row.full_clean()
