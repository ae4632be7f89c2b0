from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from guardia.common.masking import mask
from notifications.kinds import KINDS


class Notification(models.Model):
    """One message to one person in the portal. `dedup_key` makes sure that it is told once."""

    recipient = models.ForeignKey(User, models.CASCADE, related_name="notifications", verbose_name=_("recipient"))
    kind = models.CharField(_("kind"), max_length=32)
    values = models.JSONField(_("values"), default=dict)
    link = models.CharField(_("link"), max_length=255, blank=True)
    dedup_key = models.CharField(max_length=160, unique=True, editable=False)
    created_at = models.DateTimeField(_("time"), auto_now_add=True)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [models.Index(fields=["recipient", "read_at", "-id"], name="notification_inbox")]

    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """The sentence in the current language."""
        return mask(str(KINDS[self.kind]) % self.values)
