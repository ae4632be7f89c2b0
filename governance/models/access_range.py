from ipaddress import ip_address, ip_network
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Institution


class AccessRange(models.Model):
    """A network (bastion) from which administrators and approvers may act; without any, they may from anywhere.

    One without an institution holds for all of them.
    """

    scope_path = "institution"

    label = models.CharField(_("label"), max_length=64)
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="access_ranges", verbose_name=_("institution")
    )
    cidr = models.CharField(_("network (CIDR)"), max_length=49, help_text=_("For example 10.1.2.0/24."))
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("access range")
        verbose_name_plural = _("access ranges")
        ordering: ClassVar = ["label"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["institution", "cidr"], nulls_distinct=False, name="access_range_once")
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.cidr})"

    def holds(self, address: str) -> bool:
        """Whether the address, as text, lies in this network; what isn't an address lies in none."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None)
        return (mapped or found) in ip_network(self.cidr)
