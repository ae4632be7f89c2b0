from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.choices import TokenScope
from accounts.models.people import User
from guardia.common.clock import now


class ApiToken(models.Model):
    """A personal key to the API: it acts as its user, within its scopes, until it expires or is revoked.

    The token is shown once; stored are a prefix, to tell it by, and its SHA-256 (256 random bits need no salt).
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens", verbose_name=_("user"))
    name = models.CharField(_("name"), max_length=64)
    prefix = models.CharField(_("prefix"), max_length=16)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=16, choices=TokenScope.choices), verbose_name=_("scopes"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"))
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_alive(self) -> bool:
        return self.revoked_at is None and self.expires_at > now()

    @property
    def scope_names(self) -> list[str]:
        return [str(TokenScope(scope).label) for scope in self.scopes]
