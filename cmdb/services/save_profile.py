from django.db import transaction

from accounts.models import User
from audit.services import record
from cmdb.models import EnvironmentProfile


@transaction.atomic
def save_profile(*, actor: User, profile: EnvironmentProfile) -> EnvironmentProfile:
    """Save a profile as its next revision: plans made from the old one no longer match (design §3)."""
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
