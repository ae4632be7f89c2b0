"""Names for refusals: whoever may not do something is told who can."""

from collections.abc import Collection, Iterable, Sequence

from django.utils.translation import gettext as _

from accounts.choices import Authority, Role
from accounts.models import User
from accounts.scope import holders_of

_NAMED = 3


def named(people: Iterable[User]) -> str:
    """The first few of these people, each once; where there is nobody, who could change that."""
    names = ", ".join(list(dict.fromkeys(str(person) for person in people))[:_NAMED])
    return names or _("nobody yet (an administrator can name somebody)")


def who_hold(roles: Sequence[Role], institution_id: int | None, *, but: Collection[int] = ()) -> str:
    """The first few who hold one of `roles` for the institution (None: for all), without viewers and those in `but`.
    Superusers stand in for administrators."""
    holders = [holders_of(role, institution_id, authority=Authority.APPROVER) for role in roles]
    people = [person for found in holders for person in found if person.pk not in but]
    if not people and Role.ADMINISTRATOR in roles:
        people = list(User.objects.filter(is_superuser=True, is_active=True).exclude(pk__in=but).order_by("pk"))
    return named(people)
