from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from accounts.models import Institution
from cmdb.choices import GatewayState, WhenAway
from guardia.common.clock import now

_S = GatewayState
AWAY_RANGE = [MinValueValidator(10), MaxValueValidator(86_400)]
CODE_FORM = RegexValidator(r"^[a-z0-9][a-z0-9-]{0,19}$", _("Up to 20 small letters, digits and hyphens."))


class Gateway(models.Model):
    """This program in the network of sites that the core can't reach; it comes to the core, never the other way.

    ::

        WAITING ─ its keys came with the one-time code ─▶ SHOWN ─ fingerprint compared ─▶ ACTIVE
           └──────────────────────────────────────────────┴───────────────────────────────┴─▶ REVOKED

    A row is enrolled once: what was revoked, or has lost its home, is replaced by another gateway. `taken_number` and
    `taken_digest` are the last parcel of its spool that the core has; `alarm` says why nothing more is exchanged.
    """

    scope_path = "institution"

    institution = models.ForeignKey(Institution, models.PROTECT, related_name="gateways", verbose_name=_("institution"))
    code = models.CharField(_("code"), max_length=20, validators=[CODE_FORM])
    name = models.CharField(_("name"), max_length=128)
    state = FSMField(_("state"), max_length=16, choices=_S.choices, default=_S.WAITING, protected=True)
    when_away = models.CharField(
        _("while the core is away"), max_length=8, choices=WhenAway.choices, default=WhenAway.FINISH
    )
    away_seconds = models.PositiveIntegerField(_("away after (s)"), default=120, validators=AWAY_RANGE)
    enrol_code = models.BinaryField(default=bytes, blank=True, editable=False)
    enrol_until = models.DateTimeField(_("code valid until"), null=True, blank=True)
    enrol_failures = models.PositiveSmallIntegerField(default=0, editable=False)
    sign_key = models.TextField(_("signing key"), blank=True, editable=False)
    seal_key = models.TextField(_("sealing key"), blank=True, editable=False)
    version = models.CharField(_("version"), max_length=32, blank=True)
    backlog = models.PositiveIntegerField(_("parcels waiting"), default=0)
    seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    seen_from = models.GenericIPAddressField(_("seen from"), null=True, blank=True)
    forged_at = models.DateTimeField(_("last forged message"), null=True, blank=True)
    taken_number = models.BigIntegerField(default=0, editable=False)
    taken_digest = models.CharField(max_length=64, blank=True, editable=False)
    alarm = models.TextField(_("alarm"), blank=True)
    created_at = models.DateTimeField(_("added"), auto_now_add=True)

    class Meta:
        verbose_name = _("gateway")
        verbose_name_plural = _("gateways")
        ordering: ClassVar = ["institution", "code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["institution", "code"], name="gateway_code_once"),
            models.CheckConstraint(condition=Q(state__in=_S.values), name="gateway_state_known"),
            models.CheckConstraint(condition=Q(when_away__in=WhenAway.values), name="gateway_when_away_known"),
            models.CheckConstraint(
                condition=~Q(state="ACTIVE") | (~Q(sign_key="") & ~Q(seal_key="")), name="gateway_active_has_keys"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"

    @property
    def full_code(self) -> str:
        """How the gateway names itself: unique over all institutions."""
        return f"{self.institution.code}/{self.code}"

    @property
    def is_in_service(self) -> bool:
        return self.state == _S.ACTIVE and not self.alarm

    @transition(field=state, source=_S.WAITING, target=_S.SHOWN)
    def show(self, sign_key: str, seal_key: str) -> None:
        self.sign_key, self.seal_key, self.enrol_code = sign_key, seal_key, b""

    @transition(field=state, source=_S.SHOWN, target=_S.ACTIVE)
    def confirm(self) -> None:
        self.seen_at = now()

    @transition(field=state, source=[_S.WAITING, _S.SHOWN, _S.ACTIVE], target=_S.REVOKED)
    def revoke(self) -> None:
        self.enrol_code = b""
