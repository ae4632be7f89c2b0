"""Who knocks at the core's door for gateways: a signature over everything, a time that is now, a number used once."""

import logging
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from accounts.choices import Role
from accounts.rates import take
from accounts.scope import holders_of
from audit.services import record
from cmdb.choices import GatewayState
from cmdb.models import Gateway
from execution.gateways.enrol import find_gateway
from execution.gateways.exceptions import Revoked, Stranger
from execution.gateways.messages import TOLERANCE, Request
from execution.models import GatewayNonce
from guardia.common.clock import now
from guardia.common.signing import is_signed
from notifications.services import notify

logger = logging.getLogger(__name__)
_QUIET = timedelta(minutes=10)
_NONCE_LENGTH = 32


def may_enter(request: Request, signature: str, source_ip: str) -> Gateway:
    """The gateway in service that says this now, for the first time.

    Raises Stranger (unknown, not confirmed, forged, old, replayed: all the same from outside), Revoked, RateExceeded.
    """
    gateway = find_gateway(request.gateway)
    if gateway.state not in (GatewayState.ACTIVE, GatewayState.REVOKED):
        raise Stranger
    if not is_signed(gateway.sign_key, request.signed_bytes(), signature):
        _forged(gateway, source_ip)
        raise Stranger
    if gateway.state == GatewayState.REVOKED:
        raise Revoked
    if abs(now().timestamp() - request.time) > TOLERANCE or len(request.nonce) != _NONCE_LENGTH:
        logger.warning("gateway %s: a message of another time", request.gateway)
        raise Stranger
    take("GATEWAY", f"gateway:{gateway.full_code}")
    try:
        with transaction.atomic():
            GatewayNonce.objects.create(gateway=gateway, nonce=request.nonce)
    except IntegrityError as error:
        logger.warning("gateway %s: a message was replayed", request.gateway)
        raise Stranger from error
    gateway.nonces.filter(used_at__lt=Now() - timedelta(seconds=2 * TOLERANCE + 60)).delete()  # type: ignore[operator]  # the stubs know no arithmetic of expressions
    Gateway.objects.filter(pk=gateway.pk).update(seen_at=Now(), seen_from=source_ip or None)
    return gateway


def _forged(gateway: Gateway, source_ip: str) -> None:
    """Told once in a while: whoever forges must not fill the chain."""
    quiet = Q(forged_at=None) | Q(forged_at__lt=Now() - _QUIET)  # type: ignore[operator]  # the stubs know no arithmetic of expressions
    with transaction.atomic():
        if Gateway.objects.filter(quiet, pk=gateway.pk).update(forged_at=Now()):
            record(
                action="gateway.forged",
                actor="stranger",
                institution=gateway.institution,
                subject=gateway,
                summary="a message with this gateway's name that its key didn't sign",
                address=source_ip,
            )
            alarm_people(gateway, "gateway_forged", f"{now():%Y%m%d%H%M}")
    logger.warning("gateway %s: a forged message", gateway.full_code)


def raise_alarm(gateway: Gateway, reason: str) -> None:
    """What its key signed can't be true: from here on nothing is given to it or taken from it."""
    with transaction.atomic():
        if not Gateway.objects.filter(pk=gateway.pk, alarm="").update(alarm=reason):
            return
        record(
            action="gateway.alarm",
            actor="guardia",
            institution=gateway.institution,
            subject=gateway,
            summary=reason,
            taken=gateway.taken_number,
        )
        alarm_people(gateway, "gateway_alarm", "alarm", reason=reason)
    logger.critical("gateway %s: %s", gateway.full_code, reason)


def alarm_people(gateway: Gateway, kind: str, occasion: str, **values: object) -> None:
    people = [
        person
        for role in (Role.SECURITY_OFFICER, Role.ADMINISTRATOR, Role.OPERATOR)
        for person in holders_of(role, gateway.institution_id)
    ]
    key = f"gateway:{gateway.pk}:{occasion}"
    notify(recipients=people, kind=kind, key=key, link=f"/gateways/{gateway.pk}/", gateway=gateway.name, **values)
