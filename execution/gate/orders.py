"""What stands for the approval in a gateway's home: the core's signature of the part of the plan (ADR 0022)."""

from django.conf import settings
from django.utils.translation import gettext as _

from execution.exceptions import GateClosed
from execution.gateways.home import pinned_core
from execution.gateways.messages import part_bytes
from execution.models import Plan, RunPart
from guardia.common.signing import is_signed


def check_order(plan: Plan) -> None:
    """The pinned core signed exactly this for this gateway: read anew each time. Raises GateClosed."""
    part = RunPart.objects.filter(run__plan=plan).first()
    check_signature(plan.digest, part.signature if part is not None else "")


def check_signature(digest: str, signature: str) -> None:
    if not is_signed(pinned_core(), part_bytes(settings.GUARDIA_GATEWAY, digest), signature):
        raise GateClosed(_("The core didn't sign this plan for this gateway."), code="not_signed")
