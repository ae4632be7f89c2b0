from collections import defaultdict

from accounts.choices import Role
from accounts.models import Institution, User
from accounts.scope import holders_of
from governance.selectors_authority import stale_mappings
from guardia.common.clock import local_day
from notifications.services import notify

_NAMED = 5


def check_authority() -> int:
    """Tell the administrators, once a month, which systems' people need attention; returns how many systems."""
    stale = stale_mappings()
    by_institution: defaultdict[int, list[str]] = defaultdict(list)
    for row in stale:
        by_institution[row.system.institution_id].append(row.system.code)
    month = f"{local_day():%Y-%m}"
    for institution in Institution.objects.filter(pk__in=by_institution):
        codes = by_institution[institution.pk]
        notify(
            recipients=_administrators(institution),
            kind="authority_stale",
            key=f"{month}:{institution.pk}",
            link="/authority/",
            count=len(codes),
            systems=", ".join(codes[:_NAMED]) + (" …" if len(codes) > _NAMED else ""),
        )
    return len(stale)


def _administrators(institution: Institution) -> list[User]:
    """Those of the institution; where it has none, whoever may administer everything."""
    people = list(holders_of(Role.ADMINISTRATOR, institution.pk))
    return people or list(User.objects.filter(is_superuser=True, is_active=True))
