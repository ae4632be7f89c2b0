"""Password policies as data, read by the settings: no Django here.

`kr-public`: the rules Korean public institutions are inspected by (KISA's password guide, the personal-information
safety standard): 9 characters of three kinds or 10 of two, nothing personal, no sequences, changed every 90 days.
`asvs5`: OWASP ASVS 5.0 (6.2): 12 characters, no composition rules, no expiry, nothing that is commonly used.
"""

from dataclasses import dataclass, field
from typing import Any

_OURS = "accounts.passwords."
_DJANGOS = "django.contrib.auth.password_validation."


@dataclass(frozen=True)
class PasswordProfile:
    """`max_age_days`: after it the password must be changed; None: never. `validators` as Django's setting."""

    max_age_days: int | None
    validators: list[dict[str, Any]] = field(default_factory=list)


PASSWORD_PROFILES = {
    "kr-public": PasswordProfile(
        max_age_days=90,
        validators=[
            {"NAME": _OURS + "KindsValidator", "OPTIONS": {"length_by_kinds": {2: 10, 3: 9}}},
            {"NAME": _OURS + "PersonalValidator"},
            {"NAME": _OURS + "SequenceValidator", "OPTIONS": {"longest": 3}},
            {"NAME": _OURS + "HistoryValidator", "OPTIONS": {"remembered": 2}},
            {"NAME": _DJANGOS + "CommonPasswordValidator"},
        ],
    ),
    "asvs5": PasswordProfile(
        max_age_days=None,
        validators=[
            {"NAME": _DJANGOS + "MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
            {"NAME": _DJANGOS + "CommonPasswordValidator"},
            {"NAME": _OURS + "HistoryValidator", "OPTIONS": {"remembered": 1}},
        ],
    ),
}


def password_profile(name: str) -> PasswordProfile:
    """Raises ValueError for a name that isn't there, with those that are."""
    if name not in PASSWORD_PROFILES:
        raise ValueError(f"GUARDIA_PASSWORD_PROFILE: {name!r} is none of {', '.join(PASSWORD_PROFILES)}")
    return PASSWORD_PROFILES[name]
