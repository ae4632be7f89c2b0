"""What people do with gateways: add one, compare its fingerprint, give it sites, say what it does alone, revoke it."""

import hmac
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Institution, User
from accounts.scope import visible_to
from audit.refusals import refusals_recorded
from audit.services import record
from cmdb.choices import GatewayState
from cmdb.models import Gateway, Site
from execution.gateways.enrol import seal_code
from execution.gateways.giving import lose_orders
from execution.gateways.messages import fingerprint, plain_code
from execution.models import HostLock
from governance.exceptions import ReasonMissing
from governance.services.accounts import require_administrator
from guardia.common.clock import now
from guardia.common.errors import InvalidInput, NotVisible, StaleState

_CODE_HOURS = 24
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that looks like another


@refusals_recorded
@transaction.atomic
def add_gateway(
    *, actor: User, institution: Institution, code: str, name: str, when_away: str, away_seconds: int
) -> tuple[Gateway, str]:
    """A new gateway, and its one-time code: shown now and never again.

    Raises NotPermitted, OutsideBastion, InvalidInput.
    """
    require_administrator(actor, institution)
    gateway = Gateway(
        institution=institution, code=code.strip(), name=name.strip(), when_away=when_away, away_seconds=away_seconds
    )
    text = _new_code(gateway)
    _save(gateway)
    _record("gateway.added", actor, gateway, when_away=when_away, away_seconds=away_seconds)
    return gateway, text


@refusals_recorded
@transaction.atomic
def renew_code(*, actor: User, gateway_pk: int) -> tuple[Gateway, str]:
    """Another one-time code for a gateway that isn't enrolled: the one before is worth nothing any more.

    Raises NotVisible, NotPermitted, OutsideBastion, StaleState.
    """
    gateway = lock_gateway(actor, gateway_pk)
    if gateway.state != GatewayState.WAITING:
        raise StaleState
    text = _new_code(gateway)
    gateway.save()
    _record("gateway.code_renewed", actor, gateway)
    return gateway, text


@refusals_recorded
@transaction.atomic
def confirm_gateway(*, actor: User, gateway_pk: int, seen: str) -> Gateway:
    """Put a gateway into service: `seen` is the fingerprint as its own console shows it, which no page here does.

    Raises NotVisible, NotPermitted, OutsideBastion, StaleState, InvalidInput (another fingerprint).
    """
    gateway = lock_gateway(actor, gateway_pk)
    if gateway.state != GatewayState.SHOWN:
        raise StaleState
    expected = plain_code(fingerprint(gateway.sign_key, gateway.seal_key))
    if not hmac.compare_digest(plain_code(seen).encode(), expected.encode()):
        raise InvalidInput(
            _("It isn't this gateway's fingerprint. If it was typed as its console shows it, somebody else enrolled.")
        )
    gateway.confirm()
    gateway.save()
    _record("gateway.confirmed", actor, gateway, fingerprint=fingerprint(gateway.sign_key, gateway.seal_key))
    return gateway


@refusals_recorded
@transaction.atomic
def set_gateway_sites(*, actor: User, gateway_pk: int, site_pks: Sequence[int]) -> Gateway:
    """Which sites of its institution the gateway reaches from now on; each belongs to one gateway or to the core.

    Raises NotVisible, NotPermitted, OutsideBastion, StaleState (revoked; a run is under way there), InvalidInput.
    """
    gateway = lock_gateway(actor, gateway_pk)
    if gateway.state == GatewayState.REVOKED:
        raise StaleState(_("This gateway is revoked."))
    wanted = set(site_pks)
    sites = list(
        Site.objects.select_for_update(of=("self",))
        .select_related("gateway")
        .filter(institution=gateway.institution)
        .order_by("pk")
    )
    if wanted - {site.pk for site in sites}:
        raise NotVisible
    changed = [site for site in sites if (site.pk in wanted) != (site.gateway_id == gateway.pk)]
    for site in changed:
        _move(site, gateway if site.pk in wanted else None)
    codes = sorted(site.code for site in sites if site.pk in wanted)
    _record("gateway.sites_set", actor, gateway, sites=codes)
    return gateway


@refusals_recorded
@transaction.atomic
def set_gateway_policy(*, actor: User, gateway_pk: int, when_away: str, away_seconds: int) -> Gateway:
    """What it does while the core is away; it hears of it at its next visit.

    Raises NotVisible, NotPermitted, OutsideBastion, InvalidInput.
    """
    gateway = lock_gateway(actor, gateway_pk)
    gateway.when_away, gateway.away_seconds = when_away, away_seconds
    _save(gateway)
    _record("gateway.policy_set", actor, gateway, when_away=when_away, away_seconds=away_seconds)
    return gateway


@refusals_recorded
def revoke_gateway(*, actor: User, gateway_pk: int, reason: str) -> Gateway:
    """Nothing more comes from it or goes to it, for good: stolen, lost, replaced. What it holds is uncertain from now
    on, and runs on its sites are halted for people to look at.

    Raises NotVisible, NotPermitted, OutsideBastion, ReasonMissing, StaleState.
    """
    gateway = _revoke(actor=actor, gateway_pk=gateway_pk, reason=reason)
    lose_orders(gateway, actor)
    return gateway


@transaction.atomic
def _revoke(*, actor: User, gateway_pk: int, reason: str) -> Gateway:
    gateway = lock_gateway(actor, gateway_pk)
    if not reason.strip():
        raise ReasonMissing
    if gateway.state == GatewayState.REVOKED:
        raise StaleState
    gateway.revoke()
    gateway.save()
    _record("gateway.revoked", actor, gateway, summary=reason.strip())
    return gateway


def lock_gateway(actor: User, gateway_pk: int) -> Gateway:
    """The gateway, locked, for an administrator of its institution. Raises NotVisible, NotPermitted, OutsideBastion."""
    if not visible_to(Gateway.objects.filter(pk=gateway_pk), actor).exists():
        raise NotVisible
    gateway = Gateway.objects.select_for_update(of=("self",)).select_related("institution").get(pk=gateway_pk)
    require_administrator(actor, gateway.institution)
    return gateway


def _move(site: Site, to: Gateway | None) -> None:
    before = site.gateway
    if before is None or before.state != GatewayState.REVOKED:
        if to is not None and before is not None:
            raise StaleState(_("%(site)s belongs to %(gateway)s.") % {"site": site, "gateway": before})
        if HostLock.objects.filter(server__site=site).exists():
            raise StaleState(_("A run is under way on servers of %(site)s.") % {"site": site})
    site.gateway = to
    site.save(update_fields=["gateway"])


def _new_code(gateway: Gateway) -> str:
    text = "-".join("".join(secrets.choice(_ALPHABET) for _letter in range(5)) for _group in range(5))
    gateway.enrol_code, gateway.enrol_failures = seal_code(gateway, text), 0
    gateway.enrol_until = now() + timedelta(hours=_CODE_HOURS)
    return text


def _save(gateway: Gateway) -> None:
    try:
        gateway.full_clean(exclude=["state"])
    except ValidationError as error:
        raise InvalidInput("; ".join(error.messages)) from error
    gateway.save()


def _record(action: str, actor: User, gateway: Gateway, summary: str = "", **facts: Any) -> None:
    record(action=action, actor=actor, institution=gateway.institution, subject=gateway, summary=summary, **facts)
