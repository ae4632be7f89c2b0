"""Who uses Guardia, and for which institutions.

The institution is the tenant: it lives on this floor, below the CMDB, because scope is decided here (ADR 0007).
"""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.choices import Authority, Role
from guardia.common.clock import now


class Institution(models.Model):
    """A public institution: the border no user sees across without a membership."""

    scope_path = "pk"

    code = models.CharField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=128)
    aliases = ArrayField(models.CharField(max_length=64), verbose_name=_("aliases"), default=list, blank=True)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("institution")
        verbose_name_plural = _("institutions")
        ordering: ClassVar = ["code"]

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person. Nobody is deleted: the chain names people for ever; they are made inactive."""

    display_name = models.CharField(_("name"), max_length=64, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    password_changed_at = models.DateTimeField(_("password changed"), null=True, blank=True, editable=False)
    must_change_password = models.BooleanField(_("must change the password first"), default=False, editable=False)

    _outgoing_hash = ""

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering: ClassVar = ["username"]

    def __str__(self) -> str:
        return self.display_name or self.username

    def get_full_name(self) -> str:
        return str(self)

    def set_password(self, raw_password: str | None) -> None:
        """Every door that changes a password comes through here, so the record of old ones is complete."""
        self._outgoing_hash = self.password
        self.password_changed_at = now()
        super().set_password(raw_password)

    def save(self, *args: Any, **kwargs: Any) -> None:
        is_new_password = (
            getattr(self, "_password", None) is not None
        )  # None also where Django only strengthens the same one's hash
        super().save(*args, **kwargs)
        if is_new_password and self._outgoing_hash:
            PasswordRecord.objects.create(user=self, password=self._outgoing_hash)
        self._outgoing_hash = ""


class PasswordRecord(models.Model):
    """The hash of a password that was replaced, so that it isn't taken again."""

    user = models.ForeignKey(User, models.CASCADE, related_name="password_records", verbose_name=_("user"))
    password = models.CharField(max_length=128, editable=False)
    replaced_at = models.DateTimeField(_("replaced"), auto_now_add=True)

    class Meta:
        verbose_name = _("password record")
        verbose_name_plural = _("password records")
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.user} · {self.replaced_at:%Y-%m-%d}"


class Membership(models.Model):
    """One role of one user in one institution; without an institution it holds in all of them."""

    scope_path = "institution"

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships", verbose_name=_("user"))
    institution = models.ForeignKey(
        Institution, models.CASCADE, null=True, blank=True, related_name="memberships", verbose_name=_("institution")
    )
    role = models.CharField(_("role"), max_length=32, choices=Role.choices)
    authority = models.CharField(_("authority"), max_length=16, choices=Authority.choices, default=Authority.APPROVER)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "institution", "role"], nulls_distinct=False, name="membership_once"
            ),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
            models.CheckConstraint(
                condition=models.Q(authority__in=Authority.values), name="membership_authority_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()} · {self.institution or '*'}"
