from django.db import transaction

from accounts.models import User
from accounts.signals import acting_by_rank
from audit.refusals import refusals_recorded
from audit.services import record
from cmdb.models import EnvironmentProfile


@refusals_recorded
@transaction.atomic
def save_profile(*, actor: User, profile: EnvironmentProfile) -> EnvironmentProfile:
    """Save a profile as its next revision: plans made from the old one no longer match (design §3)."""
    acting_by_rank.send(User, actor=actor, institution=profile.institution)
    if profile.pk is not None:
        current = EnvironmentProfile.objects.select_for_update().get(pk=profile.pk)
        profile.revision = current.revision + 1
    profile.full_clean()
    profile.save()
    record(
        action="profile.saved",
        actor=actor,
        institution=profile.institution,
        subject=profile,
        revision=profile.revision,
    )
    return profile
