from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Institution
from cmdb.choices import CredentialKind


class Credential(models.Model):
    """A log-in of servers. The secret is sealed (AES-256-GCM, key outside the database) and bound to this row:
    sealed bytes copied to another row, or from an older revision, don't open."""

    scope_path = "institution"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="credentials", verbose_name=_("institution")
    )
    name = models.CharField(_("name"), max_length=64)
    kind = models.CharField(_("kind"), max_length=16, choices=CredentialKind.choices)
    username = models.CharField(_("user name"), max_length=64)
    sealed = models.BinaryField(_("sealed secret"), editable=False)
    key_id = models.CharField(_("key"), max_length=16, editable=False)
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        ordering: ClassVar = ["institution", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["institution", "name"], name="credential_name_once"),
            models.CheckConstraint(condition=models.Q(kind__in=CredentialKind.values), name="credential_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.username})"
