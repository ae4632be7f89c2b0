"""What a gateway's entries say of people: sealed there with its own keys, which the core gets and it forgets."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import transaction

from audit.chain import entry_hash, gateway_chain
from audit.models import Chain, DataKey, Entry
from audit.personal import seal_part
from audit.reading import Part, told
from audit.services import record
from audit.verifying.all_chains import verify_all
from execution.gateways import spool
from guardia.common.canonical import canonical_bytes
from tests.execution.gateways.scripted import ScriptedGateway
from tests.execution.gateways.test_orders import entries
from tests.factories import Tenant, make_institution

pytestmark = pytest.mark.django_db
WORDS, KEY = "홍길동 010-1234-5678", bytes(range(32))


def sealed_entry(gateway: ScriptedGateway, key_id: str) -> str:
    key = gateway_chain(gateway.name)
    body = json.loads(entries(gateway, 1)[0])
    return canonical_bytes({**body, "personal": seal_part(AESGCM(KEY), key_id, {"summary": WORDS}, key, 1)}).decode()


def said(key_id: str = "00112233445566aa", key: bytes = KEY, about: str = "task:OPS-1") -> dict[str, str]:
    return {"id": key_id, "about": about, "key": key.hex()}


def test_the_core_reads_what_was_sealed_there_and_keeps_the_key_under_its_own_vault() -> None:
    gateway = ScriptedGateway(Tenant(servers=1)).in_service()
    message = {**gateway.parcel(entries=[sealed_entry(gateway, said()["id"])]), "keys": [said()]}
    for _time in range(2):  # the answer was lost
        status, answer = gateway.ask("parcel", message)
        assert (status, answer["taken"], answer["keys"]) == (200, 1, 1)
    entry = Entry.objects.select_related("chain").get(chain__key=gateway_chain(gateway.name))
    assert (told([entry])[0].part, told([entry])[0].body["summary"]) == (Part.OPEN, WORDS)
    row = DataKey.objects.get(key_id=said()["id"])
    assert KEY not in bytes(row.wrapped or b"") and row.subject == "task:OPS-1" and verify_all().is_intact
    DataKey.objects.filter(pk=row.pk).delete()
    assert entry_hash(entry.body.encode()) == entry.hash and told([entry])[0].part == Part.LOCKED


def test_a_key_that_was_erased_here_does_not_come_back() -> None:
    tenant = Tenant(servers=1)
    gateway = ScriptedGateway(tenant).in_service()
    gateway.ask("parcel", {**gateway.parcel(entries=[sealed_entry(gateway, said()["id"])]), "keys": [said()]})
    people: dict[str, Any] = {"proposed_by": tenant.pm, "decided_by": tenant.owner}
    DataKey.objects.filter(key_id=said()["id"]).update(status="ERASED", wrapped=None, **people)
    status, _answer = gateway.ask("parcel", {**gateway.parcel(refused=[]), "keys": [said()]})
    assert status == 200 and DataKey.objects.get(key_id=said()["id"]).wrapped is None


@pytest.mark.parametrize(
    "bad", [said(key=b"short"), said(key_id="../../../../etc"), said(about=""), said(about="x" * 65), {"id": "x"}]
)
def test_what_is_no_key_is_refused_with_the_parcel(bad: dict[str, str]) -> None:
    gateway = ScriptedGateway(Tenant(servers=1)).in_service()
    assert gateway.ask("parcel", {**gateway.parcel(entries=entries(gateway, 1)), "keys": [bad]})[0] == 409
    assert gateway.reread().alarm and not DataKey.objects.filter(chain__key=gateway_chain(gateway.name)).exists()


def test_there_it_is_sealed_given_away_and_forgotten(settings: Any) -> None:
    settings.GUARDIA_GATEWAY = "MOEF/busan"
    with transaction.atomic():
        entry = record(action="halt.pressed", actor="root", institution=make_institution(), summary=WORDS)
    assert Chain.objects.get().key == gateway_chain("MOEF/busan") and "홍길동" not in entry.body
    [given] = spool.keys_to_give()
    [row] = DataKey.objects.all()
    assert given["id"] == row.key_id and bytes.fromhex(given["key"]) not in bytes(row.wrapped or b"")
    assert told([entry])[0].part == Part.OPEN
    spool.keys_given([given])
    assert spool.keys_to_give() == [] and told([entry])[0].part == Part.LOCKED
    with transaction.atomic():
        record(action="halt.pressed", actor="root", institution=None, summary=WORDS)
    assert [key["id"] for key in spool.keys_to_give()] not in ([], [given["id"]])
