"""An authenticator app for tests: it knows the key, and shows codes that weren't used yet."""

import time

from django_otp.oath import TOTP

from accounts.models import TotpDevice, User
from accounts.services.second_factor import begin_enrolment, confirm_enrolment


def code_of(device: TotpDevice, steps: int = 0) -> str:
    """The code `steps` of 30 seconds from now."""
    secret = device.secret()
    assert secret is not None
    totp = TOTP(secret)
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06}"


def enrol(user: User) -> tuple[TotpDevice, list[str]]:
    """The device in use, no code of it used yet, and its recovery codes."""
    codes = confirm_enrolment(actor=user, code=code_of(begin_enrolment(actor=user)))
    TotpDevice.objects.filter(user=user).update(last_t=-1)
    return TotpDevice.objects.get(user=user), codes
