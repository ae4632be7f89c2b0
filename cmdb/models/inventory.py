from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Institution
from cmdb.addresses import is_allowed_address
from cmdb.choices import ServerRole, Tier
from cmdb.models.credential import Credential
from cmdb.models.gateway import Gateway
from cmdb.models.profile import EnvironmentProfile
from cmdb.validators import check_absolute_path, check_host_key

#: Jump hosts in a row, at most (execution.ssh.route).
LONGEST_WAY = 3
PORT_RANGE = [MinValueValidator(1), MaxValueValidator(65535)]


class Site(models.Model):
    """A place where servers stand."""

    scope_path = "institution"

    institution = models.ForeignKey(Institution, models.PROTECT, related_name="sites", verbose_name=_("institution"))
    code = models.CharField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=128)
    tier = models.PositiveSmallIntegerField(_("tier"), choices=Tier.choices, default=Tier.STANDARD)
    gateway = models.ForeignKey(
        Gateway,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="sites",
        verbose_name=_("gateway"),
        help_text=_("What reaches the servers of this site; empty: the core's own workers."),
    )

    class Meta:
        verbose_name = _("site")
        verbose_name_plural = _("sites")
        ordering: ClassVar = ["code"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(tier__in=Tier.values), name="site_tier_known")
        ]

    def __str__(self) -> str:
        return self.name


class System(models.Model):
    """What the public knows: a service that an institution runs on a number of servers."""

    scope_path = "institution"

    institution = models.ForeignKey(Institution, models.PROTECT, related_name="systems", verbose_name=_("institution"))
    code = models.CharField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=128)
    aliases = ArrayField(models.CharField(max_length=64), verbose_name=_("aliases"), default=list, blank=True)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("system")
        verbose_name_plural = _("systems")
        ordering: ClassVar = ["code"]

    def __str__(self) -> str:
        return self.name


class Server(models.Model):
    """One legacy server. Without a pinned host key nothing connects to it."""

    scope_path = "system__institution"

    system = models.ForeignKey(System, models.PROTECT, related_name="servers", verbose_name=_("system"))
    site = models.ForeignKey(Site, models.PROTECT, related_name="servers", verbose_name=_("site"))
    profile = models.ForeignKey(
        EnvironmentProfile, models.PROTECT, related_name="servers", verbose_name=_("environment profile")
    )
    credential = models.ForeignKey(
        Credential, models.PROTECT, null=True, blank=True, related_name="servers", verbose_name=_("credential")
    )
    hostname = models.CharField(_("hostname"), max_length=128, unique=True)
    aliases = ArrayField(models.CharField(max_length=64), verbose_name=_("aliases"), default=list, blank=True)
    role = models.CharField(_("role"), max_length=8, choices=ServerRole.choices)
    number = models.PositiveSmallIntegerField(_("number"), default=1)
    address = models.GenericIPAddressField(_("address"))
    ssh_port = models.PositiveIntegerField(_("SSH port"), default=22, validators=PORT_RANGE)
    http_port = models.PositiveIntegerField(_("service port"), default=8080, validators=PORT_RANGE)
    home_dir = models.CharField(
        _("application home"),
        max_length=255,
        validators=[check_absolute_path],
        help_text=_("Absolute path; the profile's paths are below it."),
    )
    redundancy_group = models.CharField(
        _("redundancy group"), max_length=64, blank=True, help_text=_("Nodes of one group are never down together.")
    )
    host_keys = ArrayField(
        models.CharField(max_length=1024, validators=[check_host_key]),
        verbose_name=_("pinned host keys"),
        default=list,
        blank=True,
        help_text=_("One public key per entry, as in known_hosts without the host: ssh-ed25519 AAAA…"),
    )
    jump = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="behind",
        verbose_name=_("jump host"),
        help_text=_("The server through which this one is reached; empty: straight."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("server")
        verbose_name_plural = _("servers")
        ordering: ClassVar = ["hostname"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(home_dir__startswith="/"), name="server_home_is_absolute"),
            models.CheckConstraint(condition=models.Q(role__in=ServerRole.values), name="server_role_known"),
        ]

    def __str__(self) -> str:
        return self.hostname

    def clean(self) -> None:
        """Site, profile and credential are of the system's own institution: nothing crosses that border.

        The address is one that a server may have."""
        home = self.system.institution_id
        others = {"site": self.site, "profile": self.profile, "credential": self.credential}
        wrong = [name for name, row in others.items() if row is not None and row.institution_id != home]
        if self.jump is not None and self.jump.system.institution_id != home:
            wrong.append("jump")
        if wrong:
            raise ValidationError({name: _("It belongs to another institution.") for name in wrong})
        if self.is_active and not is_allowed_address(self.address):
            raise ValidationError({"address": _("No server may have this address (GUARDIA_SERVER_NETWORKS).")})
        way = self.way()
        if len(way) > LONGEST_WAY or any(hop.pk == self.pk for hop in way):
            text = _("At most %(count)s jump hosts may stand in a row, and never in a circle.")
            raise ValidationError({"jump": text % {"count": LONGEST_WAY}})

    def way(self) -> list["Server"]:
        """The jump hosts to go through, the nearest to us first; longer than LONGEST_WAY where they go in a circle."""
        hops: list[Server] = []
        hop = self.jump
        while hop is not None and len(hops) <= LONGEST_WAY:
            hops.insert(0, hop)
            hop = hop.jump
        return hops
