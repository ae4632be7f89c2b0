"""The vault: what is sealed opens for its own row and key, and for nothing else; it is never shown."""

from collections.abc import Callable
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from auditlog.models import LogEntry
from django.core.management import call_command
from django.db import connection

from accounts.choices import Role
from audit.models import Entry
from cmdb.exceptions import SealBroken, VaultLocked
from cmdb.models import Credential
from cmdb.services.store_credential import store_credential
from cmdb.vault import seal, unseal
from guardia.common.errors import GuardiaError, NotPermitted
from tests.audit.words import words_of
from tests.doors import browser
from tests.factories import make_institution, make_user
from tests.snapshot import nothing_changes

pytestmark = pytest.mark.django_db
SECRET = "canary-비밀번호-5f2c"


def sealed(secret: str = SECRET, **fields: Any) -> Credential:
    values = {"institution": make_institution(), "name": "was", "kind": "password", "username": "was", **fields}
    credential = Credential(**values)
    seal(credential, secret)
    credential.save()
    return Credential.objects.get(pk=credential.pk)


@pytest.mark.parametrize("secret", [SECRET, "", " ", "\x00", "🔑", "x" * 100_000], ids=lambda text: ascii(text)[:12])
def test_what_was_sealed_is_what_opens(secret: str) -> None:
    assert unseal(sealed(secret)) == secret


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    assert bytes(sealed().sealed) != bytes(sealed().sealed)


def test_every_altered_byte_is_noticed() -> None:
    credential = sealed("secret")
    whole = bytes(credential.sealed)
    for place in range(len(whole)):
        credential.sealed = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        with pytest.raises(SealBroken):
            unseal(credential)
    for part in (b"", whole[:5], whole[:12], whole[:-1], whole + b"\x00"):
        credential.sealed = part
        with pytest.raises(SealBroken):
            unseal(credential)


MOVES: dict[str, Callable[[Credential], None]] = {
    "another row": lambda credential: setattr(credential, "id", uuid4()),
    "another revision": lambda credential: setattr(credential, "revision", credential.revision + 1),
    "another login": lambda credential: setattr(credential, "username", "root"),
    "another kind": lambda credential: setattr(credential, "kind", "private_key"),
}


@pytest.mark.parametrize("move", MOVES)
def test_sealed_bytes_open_in_their_own_place_only(move: str) -> None:
    credential = sealed()
    MOVES[move](credential)
    with pytest.raises(SealBroken):
        unseal(credential)


def test_swapped_rows_do_not_open() -> None:
    one, two = sealed("one"), sealed("two")
    one.sealed, two.sealed = two.sealed, one.sealed
    for credential in (one, two):
        with pytest.raises(SealBroken):
            unseal(credential)


def test_another_key_finds_the_vault_locked(settings: Any) -> None:
    credential = sealed()
    settings.GUARDIA_VAULT_KEY = "another key"
    with pytest.raises(VaultLocked) as locked:
        unseal(credential)
    assert locked.value.http_status == 503
    credential.key_id = sealed("x", name="new").key_id  # whoever relabels the row still has the wrong key
    with pytest.raises(SealBroken):
        unseal(credential)


def test_the_key_lies_outside_the_database_and_is_its_owners_only(settings: Any) -> None:
    sealed()
    path = settings.GUARDIA_HOME / "keys" / "vault_key"
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700


def test_the_secret_is_in_no_text_dump_diff_entry_or_page() -> None:
    operator = make_user(Role.OPERATOR, institution := make_institution())
    credential = store_credential(
        actor=operator, institution=institution, name="was", kind="password", username="was", secret=SECRET
    )
    dump = StringIO()
    call_command("dumpdata", "cmdb", "audit", "auditlog", stdout=dump)
    client = browser(operator)
    texts = [
        repr(credential),
        str(credential),
        repr(vars(credential)),
        dump.getvalue(),
        *(str(row) for row in LogEntry.objects.values_list("changes", flat=True)),
        *(words_of(entry) for entry in Entry.objects.all()),
        client.get("/admin/cmdb/credential/").content.decode(),
        client.get(f"/admin/cmdb/credential/{credential.pk}/change/").content.decode(),
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(c)::text FROM cmdb_credential c")
        texts += [text for (text,) in cursor.fetchall()]
    for form in (SECRET, SECRET.encode().hex(), "5f2c"):
        assert not [text for text in texts if form in text]
    assert bytes(credential.sealed).hex() not in " ".join(texts[-3:-1]), "not even sealed"


def test_storing_replaces_by_revision_and_tells_the_chain() -> None:
    institution = make_institution()
    operator = make_user(Role.OPERATOR, institution)
    fields = {"institution": institution, "name": "was", "kind": "password", "username": "was"}
    first = store_credential(actor=operator, secret="old", **fields)
    second = store_credential(actor=operator, secret="new", **fields)
    assert (first.pk, first.revision, second.revision) == (second.pk, 1, 2)
    assert unseal(Credential.objects.get(pk=first.pk)) == "new"
    assert Entry.objects.filter(action="credential.stored", chain__key=f"institution:{institution.code}").count() == 2


def test_only_the_institutions_operators_store_and_never_nothing() -> None:
    institution, elsewhere = make_institution(), make_institution()
    fields = {"institution": institution, "name": "was", "kind": "password", "username": "was"}
    others = [
        make_user(Role.OPERATOR, elsewhere),
        make_user(Role.PM, institution),
        make_user(Role.OPERATOR, institution, is_active=False),
        make_user(),
    ]
    operator = make_user(Role.OPERATOR, institution)
    with nothing_changes():
        for actor in others:
            with pytest.raises(NotPermitted):
                store_credential(actor=actor, secret=SECRET, **fields)
        with pytest.raises(GuardiaError):
            store_credential(actor=operator, secret="", **fields)
