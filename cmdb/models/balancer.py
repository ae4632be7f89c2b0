import shlex
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cmdb.choices import BalancerKind
from cmdb.models.inventory import Server
from cmdb.models.profile import EnvironmentProfile
from cmdb.validators import check_absolute_path, check_command, check_control, check_pattern


class Balancer(models.Model):
    """What sends requests to the servers of a profile, and how one of them is taken out and put back.

    The commands run on `server`, the balancer's own host; without one on the served server itself, which then reaches
    the control over the network. Names are patterns over the served server (`cmdb.patterns`).
    """

    scope_path = "profile__institution"

    profile = models.ForeignKey(
        EnvironmentProfile, models.PROTECT, related_name="balancers", verbose_name=_("environment profile")
    )
    name = models.CharField(_("name"), max_length=64, help_text=_("One per profile."))
    kind = models.CharField(_("kind"), max_length=16, choices=BalancerKind.choices)
    server = models.ForeignKey(
        Server,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="balances",
        verbose_name=_("runs on"),
        help_text=_("The balancer's host; empty: the served server reaches the control itself."),
    )
    control = models.CharField(
        _("control"),
        max_length=255,
        blank=True,
        validators=[check_control],
        help_text=_("HAProxy: its admin socket, a path or host:port. nginx: the file with the upstream's lines."),
    )
    backend = models.CharField(
        _("backend"), max_length=128, blank=True, validators=[check_pattern], help_text=_("HAProxy: a pattern.")
    )
    member = models.CharField(
        _("member"),
        max_length=128,
        blank=True,
        validators=[check_pattern],
        help_text=_("The served server there: {hostname}, {number:02}, {group}, {system}, {address}, {port}."),
    )
    program = models.CharField(
        _("program"),
        max_length=255,
        blank=True,
        validators=[check_absolute_path],
        help_text=_("nginx: its absolute path where it isn't on the PATH."),
    )
    drain_command = models.CharField(_("command to drain"), max_length=500, blank=True, validators=[check_command])
    undrain_command = models.CharField(_("command to put back"), max_length=500, blank=True, validators=[check_command])
    drained_command = models.CharField(
        _("tells that it is drained"), max_length=500, blank=True, validators=[check_command]
    )
    used_command = models.CharField(_("tells that it is used"), max_length=500, blank=True, validators=[check_command])
    seconds = models.PositiveIntegerField(_("time to drain (s)"), default=60, validators=[MaxValueValidator(3600)])
    others_needed = models.PositiveSmallIntegerField(
        _("others in use"), default=1, help_text=_("As many others must be in use before one is taken out.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("balancer")
        verbose_name_plural = _("balancers")
        ordering: ClassVar = ["profile", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["profile", "name"], name="balancer_name_once"),
            models.CheckConstraint(condition=Q(kind__in=BalancerKind.values), name="balancer_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.profile.name})"

    def clean(self) -> None:
        """What its kind needs is there, and its host is of the profile's institution."""
        if self.server is not None and self.server.system.institution_id != self.profile.institution_id:
            raise ValidationError({"server": _("It belongs to another institution.")})
        needed = {
            BalancerKind.HAPROXY: ("control", "backend", "member"),
            BalancerKind.NGINX: ("control", "member"),
            BalancerKind.HOOK: ("drain_command", "undrain_command"),
        }
        missing = [name for name in needed.get(BalancerKind(self.kind), ()) if not getattr(self, name)]
        if missing:
            raise ValidationError({name: _("This kind of balancer needs it.") for name in missing})
        if self.kind == BalancerKind.NGINX and not self.control.startswith("/"):
            raise ValidationError({"control": _("“%(path)s” is not a plain absolute path.") % {"path": self.control}})
        if self.program and self.program.rpartition("/")[2] != "nginx":
            raise ValidationError({"program": _("The program of nginx is called nginx.")})

    def words_of(self, name: str) -> list[str]:
        """The words of one of its commands."""
        return shlex.split(getattr(self, name))
