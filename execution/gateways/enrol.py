"""A gateway's first words at the core: its keys, and a proof that it knows the one-time code without saying it."""

import hmac
import json
import logging
from typing import Any

from django.db import transaction

from accounts.choices import Role
from accounts.scope import holders_of
from audit.services import record
from cmdb.choices import GatewayState
from cmdb.models import Gateway
from execution.gateways.exceptions import Stranger
from execution.gateways.home import core_key
from execution.gateways.messages import Request, enrolment_mac
from guardia.common.agreement import seal_for
from guardia.common.clock import now
from guardia.common.errors import InvalidInput
from guardia.common.sealing import derived_key, open_sealed, seal_bytes
from guardia.common.signing import is_signed, public_key
from notifications.services import notify

logger = logging.getLogger(__name__)
_MOST_FAILURES = 5
_PURPOSE = "guardia gateway code 1"
_LONGEST_KEY = 1000


def seal_code(gateway: Gateway, code: str) -> bytes:
    return seal_bytes(derived_key(_PURPOSE), code.encode(), _bound_to(gateway))


def enrol_gateway(*, request: Request, signature: str) -> dict[str, str]:
    """Take the keys of a gateway that knows its code; an administrator compares their fingerprint before it does
    anything. The answer proves by the same code that it comes from the core, and names the core's key.

    Five wrong proofs and the code is worth nothing. Raises Stranger, which doesn't say more.
    """
    try:
        said = json.loads(request.body)
        sign_key, seal_key, mac = (str(said[name]) for name in ("sign_key", "seal_key", "mac"))
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidInput from error
    if max(len(sign_key), len(seal_key)) > _LONGEST_KEY or sign_key == seal_key:
        raise InvalidInput
    public = public_key(core_key())
    with transaction.atomic():
        gateway = find_gateway(request.gateway, lock=True)
        code = _code_of(gateway)
        if code is None:
            raise Stranger
        expected = enrolment_mac(code, request.gateway, sign_key=sign_key, seal_key=seal_key)
        is_proved = hmac.compare_digest(mac.encode(), expected.encode())
        if is_proved and is_signed(sign_key, request.signed_bytes(), signature) and _is_key(seal_key):
            gateway.show(sign_key, seal_key)
            gateway.save()
            _tell(gateway)
            return {"core_key": public, "mac": enrolment_mac(code, request.gateway, core=public)}
        gateway.enrol_failures += 1
        gateway.save(update_fields=["enrol_failures"])
        logger.warning("gateway %s: a wrong proof of its code", request.gateway)
    raise Stranger


def find_gateway(full_code: str, *, lock: bool = False) -> Gateway:
    """By the name it gives itself. Raises Stranger."""
    institution, _slash, code = full_code.rpartition("/")
    rows = Gateway.objects.select_related("institution").filter(institution__code=institution, code=code)
    found = (rows.select_for_update(of=("self",)) if lock else rows).first()
    if found is None:
        raise Stranger
    return found


def _code_of(gateway: Gateway) -> str | None:
    is_open = gateway.state == GatewayState.WAITING and gateway.enrol_failures < _MOST_FAILURES
    if not is_open or gateway.enrol_until is None or gateway.enrol_until < now():
        return None
    clear = open_sealed(derived_key(_PURPOSE), bytes(gateway.enrol_code), _bound_to(gateway))
    return clear.decode() if clear is not None else None


def _is_key(public_pem: str) -> bool:
    try:
        seal_for(public_pem, b"", b"")
    except ValueError:
        return False
    return True


def _tell(gateway: Gateway) -> None:
    values: dict[str, Any] = {"gateway": gateway.name}
    record(
        action="gateway.enrolled",
        actor=f"gateway:{gateway.full_code}",
        institution=gateway.institution,
        subject=gateway,
    )
    notify(
        recipients=holders_of(Role.ADMINISTRATOR, gateway.institution_id),
        kind="gateway_shown",
        key=f"gateway:{gateway.pk}",
        link=f"/gateways/{gateway.pk}/",
        **values,
    )


def _bound_to(gateway: Gateway) -> bytes:
    return f"gateway code|{gateway.institution_id}|{gateway.code}".encode()
