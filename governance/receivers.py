"""The floors below ask by signal whether an act of rank may be done from here."""

from typing import Any

from django.dispatch import receiver

from accounts.models import Institution, User
from accounts.signals import acting_by_rank
from governance.services.bastion import require_bastion


@receiver(acting_by_rank)
def _from_here(actor: User, institution: Institution | None, **_: Any) -> None:
    require_bastion(actor=actor, institution=institution)
