"""The second factor: a key shared with an app on the user's phone, and codes on paper for the day it is lost."""

import time
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, ThrottlingMixin, TimestampMixin
from django_otp.oath import TOTP

from accounts.models.people import User
from guardia.common.sealing import derived_key, keyed_digest, open_sealed, seal_bytes

_KEY_PURPOSE = "guardia totp 1"
_CODE_PURPOSE = "guardia recovery code 1"
_STEP_SECONDS = 30
_TOLERANCE = 1  # steps before and after the current one


class TotpDevice(TimestampMixin, ThrottlingMixin, Device):
    """django-otp's device with the key sealed like the vault: its own TOTPDevice keeps it in clear.

    A code counts once (`last_t`), and wrong ones slow the next down (1, 2, 4, … seconds).
    """

    sealed = models.BinaryField(editable=False)
    last_t = models.BigIntegerField(default=-1, editable=False)

    class Meta:
        verbose_name = _("one-time password device")
        verbose_name_plural = _("one-time password devices")
        constraints: ClassVar = [models.UniqueConstraint(fields=["user"], name="totp_once_per_user")]

    def seal(self, secret: bytes) -> None:
        self.sealed = seal_bytes(derived_key(_KEY_PURPOSE), secret, self._bound_to())

    def secret(self) -> bytes | None:
        """The clear key; None when the seal doesn't hold: then no code is right."""
        return open_sealed(derived_key(_KEY_PURPOSE), bytes(self.sealed), self._bound_to())

    def verify_token(self, token: str) -> bool:
        """Whether `token` is right and new. Call it with the row locked, in a transaction that is committed."""
        allowed, _why = self.verify_is_allowed()
        secret = self.secret()
        if not allowed or secret is None:
            return False
        totp = TOTP(secret, _STEP_SECONDS)
        totp.time = time.time()
        if not (token.isascii() and token.isdigit() and len(token) == 6) or not totp.verify(
            int(token), _TOLERANCE, self.last_t + 1
        ):
            self.throttle_increment()
            return False
        self.last_t = totp.t()
        self.throttle_reset(commit=False)
        self.set_last_used_timestamp(commit=False)
        self.save()
        return True

    def get_throttle_factor(self) -> int:
        return 1

    def _bound_to(self) -> bytes:
        return f"totp|{self.user_id}".encode()


class RecoveryCode(models.Model):
    """One of the codes that stand in for the app once; only a keyed digest is stored."""

    user = models.ForeignKey(User, models.CASCADE, related_name="recovery_codes", verbose_name=_("user"))
    digest = models.CharField(max_length=64, editable=False)
    used_at = models.DateTimeField(_("used"), null=True, blank=True)

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"{self.user} · {self.pk}"

    @staticmethod
    def digest_of(user: User, code: str) -> str:
        plain = code.strip().lower().replace("-", "").replace(" ", "")
        return keyed_digest(_CODE_PURPOSE, f"{user.pk}|{plain}")
