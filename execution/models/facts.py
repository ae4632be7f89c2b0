from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cmdb.models import Server


class ServerFacts(models.Model):
    """What a server was like when a run last looked. `adapted`: fact → what its plans expect instead of the profile's
    word, as long as the profile is the one it was taken over under."""

    scope_path = "server__system__institution"

    server = models.OneToOneField(Server, models.PROTECT, related_name="facts", verbose_name=_("server"))
    named = models.JSONField(_("facts"), default=dict)
    paths = models.JSONField(_("paths"), default=dict)
    drift = models.JSONField(_("differences"), default=list)
    adapted = models.JSONField(_("taken over"), default=dict)
    profile_revision = models.PositiveIntegerField(_("profile revision"), default=0)
    seen_at = models.DateTimeField(_("seen"), auto_now=True)

    class Meta:
        verbose_name = _("server's facts")
        verbose_name_plural = _("servers' facts")
        ordering: ClassVar = ["server"]

    def __str__(self) -> str:
        return f"{self.server}"
