"""Enrolling, confirming and disabling the one-time password, and checking a code. Only for oneself."""

import secrets
from base64 import b32encode
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import transaction

from accounts.exceptions import CodeWrong, FactorRequired, FactorState
from accounts.models import RecoveryCode, TotpDevice, User
from accounts.scope import memberships_of
from accounts.signals import account_changed
from guardia.common.clock import now

_SECRET_BYTES = 20
_RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else on paper


def is_enrolled(user: User) -> bool:
    return TotpDevice.objects.filter(user=user, confirmed=True).exists()


def needs_factor(user: User) -> bool:
    """Whether one of the user's roles is named in GUARDIA_REQUIRE_TOTP_FOR."""
    required = settings.GUARDIA_REQUIRE_TOTP_FOR
    return bool(required) and any(held.role in required for held in memberships_of(user))


def pending_device(user: User) -> TotpDevice | None:
    """The device whose first code is awaited."""
    return TotpDevice.objects.filter(user=user, confirmed=False).first()


@transaction.atomic
def begin_enrolment(*, actor: User) -> TotpDevice:
    """The device that waits for its first code, with a new key; raises FactorState when one is in use."""
    device = TotpDevice.objects.select_for_update().filter(user=actor).first()
    if device is None:
        device = TotpDevice(user=actor, name="app", confirmed=False)
    elif device.confirmed:
        raise FactorState
    device.seal(secrets.token_bytes(_SECRET_BYTES))
    device.save()
    return device


def confirm_enrolment(*, actor: User, code: str) -> list[str]:
    """The first right code puts the device in use; returns the recovery codes, shown this once."""
    # A wrong code's throttle must be committed: the raise comes after the transaction.
    with transaction.atomic():
        device = TotpDevice.objects.select_for_update().filter(user=actor, confirmed=False).first()
        is_right = device is not None and device.verify_token(code.strip())
        if device is not None and is_right:
            device.confirmed = True
            device.save()
            codes = _new_codes(actor)
            _tell(actor, "totp.enrolled")
    if device is None:
        raise FactorState
    if not is_right:
        raise CodeWrong
    return codes


@transaction.atomic
def disable_factor(*, actor: User) -> None:
    """Back to the password alone. Raises FactorRequired where the role needs more, FactorState when there is none."""
    if needs_factor(actor):
        raise FactorRequired
    devices = TotpDevice.objects.filter(user=actor, confirmed=True)
    if not devices.exists():
        raise FactorState
    TotpDevice.objects.filter(user=actor).delete()
    RecoveryCode.objects.filter(user=actor).delete()
    _tell(actor, "totp.disabled")


@transaction.atomic
def renew_recovery_codes(*, actor: User) -> list[str]:
    """New codes; the old ones end."""
    if not is_enrolled(actor):
        raise FactorState
    codes = _new_codes(actor)
    _tell(actor, "totp.recovery_codes_renewed")
    return codes


def is_code_right(user: User, code: str) -> bool:
    """Whether `code` is the app's newest or an unused recovery code; either counts once. Commits its own count."""
    with transaction.atomic():
        device = TotpDevice.objects.select_for_update().filter(user=user, confirmed=True).first()
        if device is None:
            return False
        if code.strip().isdigit():
            return device.verify_token(code.strip())
        digest = RecoveryCode.digest_of(user, code)
        is_right = RecoveryCode.objects.filter(user=user, digest=digest, used_at=None).update(used_at=now()) == 1
        if is_right:
            left = RecoveryCode.objects.filter(user=user, used_at=None).count()
            _tell(user, "totp.recovery_code_used", left=left)
        return is_right


def enrolment_uri(device: TotpDevice) -> str:
    """What the QR code says (the key URI format of authenticator apps)."""
    label = quote(f"Guardia:{device.user.get_username()}")
    return f"otpauth://totp/{label}?" + urlencode({"secret": manual_key(device), "issuer": "Guardia"})


def manual_key(device: TotpDevice) -> str:
    """The key as people type it. Raises FactorState when its seal doesn't hold."""
    secret = device.secret()
    if secret is None:
        raise FactorState
    return b32encode(secret).decode()


def _new_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    plain = ["".join(secrets.choice(_ALPHABET) for _ in range(10)) for _ in range(_RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(
        [RecoveryCode(user=user, digest=RecoveryCode.digest_of(user, code)) for code in plain]
    )
    return [f"{code[:5]}-{code[5:]}" for code in plain]


def _tell(user: User, action: str, **facts: object) -> None:
    account_changed.send(User, user=user, actor=user, action=action, facts=facts)
