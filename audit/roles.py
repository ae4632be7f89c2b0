"""Who has to do with the chain by rank."""

from accounts.choices import Role
from accounts.models import User
from accounts.scope import holds_role

#: Who reads what entries say of people, makes reports and takes the chain along.
READERS = (Role.AUDITOR, Role.SECURITY_OFFICER, Role.ADMINISTRATOR)
#: Who, two at a time, accepts a break, erases a key, confirms a review.
DECIDERS = (Role.SECURITY_OFFICER, Role.ADMINISTRATOR)


def is_reader(user: User, institution_id: int | None) -> bool:
    """In this institution; None: in all of them."""
    return user.is_active and (user.is_superuser or holds_role(user, READERS, institution_id))
