"""Who sees how people are reached: telephone numbers and addresses in what somebody wrote."""

from django.contrib.auth.models import AnonymousUser

from accounts.choices import Role
from accounts.models import User
from accounts.scope import memberships_of
from guardia.common.masking import mask_all

#: Those who work on a request. Site managers read what others of their institution wrote, auditors what was done.
REACHING = frozenset({Role.TEAM_LEAD, Role.PM, Role.SECURITY_OFFICER, Role.OPERATOR, Role.ADMINISTRATOR})


def shown_to(user: User | AnonymousUser, text: str, *, institution_id: int, author_id: int | None = None) -> str:
    """`text` as it is for its author and for those who work on it; for everybody else without telephone numbers and
    e-mail addresses."""
    if user.is_authenticated and (user.is_superuser or user.pk == author_id):
        return text
    held = memberships_of(user)
    reaches = any(one.role in REACHING and one.institution_id in (None, institution_id) for one in held)
    return text if reaches else mask_all(text)
