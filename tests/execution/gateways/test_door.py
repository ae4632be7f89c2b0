"""The core's door for gateways: who gets in, and what is refused without a word more."""

import json
from typing import Any

import pytest

from audit.models import Entry
from cmdb.models import Gateway
from execution.gateways import keeping
from execution.gateways.messages import LARGEST_BODY, TOLERANCE, fingerprint
from execution.models import GatewayNonce
from guardia.common.errors import InvalidInput, StaleState
from guardia.common.signing import new_key, sign
from tests.execution.gateways.scripted import ScriptedGateway
from tests.factories import Tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway(in_english: None) -> ScriptedGateway:
    return ScriptedGateway(Tenant(servers=1))


def test_it_is_in_service_after_code_and_fingerprint(gateway: ScriptedGateway) -> None:
    assert gateway.ask("pull", {})[0] == 401
    status, answer = gateway.join()
    assert status == 200, answer
    assert gateway.ask("pull", {})[0] == 401, "nobody has compared the fingerprint yet"
    with pytest.raises(InvalidInput):
        keeping.confirm_gateway(actor=gateway.admin, gateway_pk=gateway.row.pk, seen="0000 " * 8)
    seen = fingerprint(*gateway.public).upper().replace(" ", "-")
    keeping.confirm_gateway(actor=gateway.admin, gateway_pk=gateway.row.pk, seen=seen)
    answer = gateway.pull()
    assert (answer["orders"], answer["when_away"]) == ([], "FINISH")
    assert gateway.reread().seen_at is not None
    actions = set(Entry.objects.filter(object_type="gateway").values_list("action", flat=True))
    assert {"gateway.added", "gateway.enrolled", "gateway.confirmed"} <= actions


def test_a_wrong_code_opens_nothing_and_five_end_it(gateway: ScriptedGateway) -> None:
    for _attempt in range(5):
        assert gateway.join(code="AAAAA-BBBBB-CCCCC-DDDDD-EEEEE")[0] == 401
    assert gateway.join()[0] == 401, "the right one is worth nothing any more"
    _row, gateway.code = keeping.renew_code(actor=gateway.admin, gateway_pk=gateway.row.pk)
    assert gateway.join()[0] == 200
    assert gateway.join()[0] == 401, "a code counts once"


def test_keys_that_were_changed_on_the_way_are_refused(gateway: ScriptedGateway) -> None:
    other = ScriptedGateway(Tenant(servers=0)).public
    assert gateway.join(sign_key=other[0])[0] == 401
    assert gateway.join(seal_key=other[1])[0] == 401
    assert gateway.join(seal_key="no key")[0] in (400, 401)
    assert gateway.reread().state == "WAITING"


def test_whoever_else_signs_is_refused_and_told_of_once(gateway: ScriptedGateway) -> None:
    gateway.in_service()
    request = gateway.message("pull", {})
    for _attempt in range(3):
        assert gateway.send(request, sign(new_key(), request.signed_bytes()))[0] == 401
    assert Entry.objects.filter(action="gateway.forged").count() == 1
    assert gateway.reread().alarm == "", "whoever forges must not be able to cut the true one off"
    assert gateway.pull()["orders"] == []


@pytest.mark.parametrize(
    "changes", [{"path": "part"}, {"body": b'{"x":1}'}, {"gateway": "other/far"}, {"nonce": "1" * 32}, {"time": 5}]
)
def test_a_signature_covers_everything(gateway: ScriptedGateway, changes: dict[str, Any]) -> None:
    gateway.in_service()
    request = gateway.message("pull", {})
    changed = gateway.message("pull", {}, nonce=request.nonce, time=request.time)
    signature = sign(gateway.sign_key, request.signed_bytes())
    changed = type(request)(**{**{name: getattr(changed, name) for name in request.__slots__}, **changes})
    assert gateway.send(changed, signature)[0] == 401


def test_a_message_counts_once_and_in_its_time(gateway: ScriptedGateway) -> None:
    gateway.in_service()
    said = {"format": 1, "version": "", "backlog": 0, "head": [0, ""], "runs": [], "have": []}
    request = gateway.message("pull", said)
    assert gateway.send(request)[0] == 200
    assert gateway.send(request)[0] == 401
    late = gateway.message("pull", said, time=request.time - TOLERANCE - 2)
    early = gateway.message("pull", said, time=request.time + TOLERANCE + 2)
    assert [gateway.send(late)[0], gateway.send(early)[0]] == [401, 401]
    assert GatewayNonce.objects.filter(gateway=gateway.row, nonce=request.nonce).exists()


def test_it_is_for_https_and_bounded(gateway: ScriptedGateway) -> None:
    gateway.in_service()
    request = gateway.message("pull", {})
    assert gateway.send(request, REMOTE_ADDR="10.1.2.3")[0] == 403
    large = gateway.message("pull", {"x": "y" * 100_000})
    assert gateway.send(large) == (400, json.dumps({"code": "too_large"}, separators=(",", ":")))
    assert gateway.client.get("/gateway/v1/pull").status_code == 405
    assert LARGEST_BODY > 100_000


def test_a_flood_is_held_off(gateway: ScriptedGateway, settings: Any) -> None:
    gateway.in_service()
    settings.GUARDIA_RATE_GATEWAY = "2/min"
    assert [gateway.ask("pull", {})[0] for _time in range(3)] == [400, 400, 429]


def test_strangers_at_its_door_have_a_strangers_rate(gateway: ScriptedGateway, settings: Any) -> None:
    settings.GUARDIA_RATE_FORMS = "3/min"
    assert [gateway.ask("pull", {})[0] for _time in range(4)] == [401, 401, 401, 429]


def test_what_cannot_be_read_is_an_answer_not_a_fault(gateway: ScriptedGateway) -> None:
    gateway.in_service()
    for said in ([], {}, {"format": "1"}, {"format": 1, "head": 7}, None):
        assert gateway.ask("pull", said)[0] == 400, said
    assert gateway.ask("part", {"run": 10**30})[0] in (400, 404)
    assert gateway.ask("artefact", {"sha256": "../../etc/passwd", "offset": 0})[0] == 404


def test_a_revoked_one_is_told_so_and_nothing_else(gateway: ScriptedGateway) -> None:
    gateway.in_service()
    keeping.revoke_gateway(actor=gateway.admin, gateway_pk=gateway.row.pk, reason="stolen")
    for path in ("pull", "part", "artefact", "parcel"):
        assert gateway.ask(path, {}) == (403, {"code": "revoked"})
    with pytest.raises(StaleState):
        keeping.revoke_gateway(actor=gateway.admin, gateway_pk=gateway.row.pk, reason="again")
    assert gateway.join()[0] == 401
    assert Gateway.objects.get().state == "REVOKED"
