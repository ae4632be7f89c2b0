"""Validators of the password profiles (`accounts.password_profiles`); each says in words what is wrong."""

import re
from itertools import pairwise
from typing import Any

from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import PasswordRecord, User

_KINDS = (str.isupper, str.islower, str.isdigit)
_KEYBOARD = ("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ", "ㅁㄴㅇㄹㅎㅗㅓㅏㅣ")
_SHORTEST_PERSONAL = 3


class KindsValidator:
    """`length_by_kinds`: kinds of characters (capital, small, digit, other) → characters needed with so many kinds."""

    def __init__(self, length_by_kinds: dict[int, int]) -> None:
        self.length_by_kinds = length_by_kinds

    def validate(self, password: str, user: User | None = None) -> None:
        kinds = len({next((i for i, is_kind in enumerate(_KINDS) if is_kind(sign)), -1) for sign in password})
        needed = [length for least, length in self.length_by_kinds.items() if kinds >= least]
        if not needed or len(password) < min(needed):
            raise ValidationError(self.get_help_text(), code="password_kinds")

    def get_help_text(self) -> str:
        return _(
            "At least %(many)s characters of three kinds (capital and small letters, digits, signs), "
            "or %(few)s of two kinds."
        ) % {"many": self.length_by_kinds[3], "few": self.length_by_kinds[2]}


class PersonalValidator:
    """Nothing that colleagues know: user name, name, mail, phone number, birth date."""

    def validate(self, password: str, user: User | None = None) -> None:
        if user is None:
            return
        small = password.lower()
        if any(part in small for part in _personal_parts(user)):
            raise ValidationError(self.get_help_text(), code="password_personal")

    def get_help_text(self) -> str:
        return _("It must not contain your user name, name, mail address, phone number or birth date.")


def _personal_parts(user: User) -> set[str]:
    parts = set(re.split(r"[\W_]+", f"{user.username} {user.display_name} {user.email.partition('@')[0]}".lower()))
    parts.add(user.username.lower())
    digits = re.sub(r"\D", "", user.phone)
    parts |= {digits, digits[-8:], digits[-4:]} if len(digits) >= 8 else {digits}
    if user.birth_date is not None:
        parts |= {user.birth_date.strftime(form) for form in ("%Y%m%d", "%y%m%d", "%m%d")}
    return {part for part in parts if len(part) >= _SHORTEST_PERSONAL}


class SequenceValidator:
    """No run of more than `longest` signs that repeat (aaaa), count (1234, dcba) or lie side by side (qwer)."""

    def __init__(self, longest: int = 3) -> None:
        self.longest = longest

    def validate(self, password: str, user: User | None = None) -> None:
        small = password.lower()
        steps = [ord(after) - ord(before) if _both_letters_or_digits(before, after) else None
                 for before, after in pairwise(small)]  # fmt: skip
        if (
            _longest_run([step if step in (1, -1) else None for step in steps]) > self.longest
            or _longest_run([0 if before == after else None for before, after in pairwise(small)]) > self.longest
            or self._on_keyboard(small)
        ):
            raise ValidationError(self.get_help_text(), code="password_sequence")

    def _on_keyboard(self, small: str) -> bool:
        width = self.longest + 1
        parts = {small[start : start + width] for start in range(len(small) - width + 1)}
        return any(part in row or part[::-1] in row for part in parts for row in _KEYBOARD)

    def get_help_text(self) -> str:
        return _(
            "No %(count)s characters in a row that repeat, count up or down, or lie side by side on the keyboard."
        ) % {"count": self.longest + 1}


def _both_letters_or_digits(before: str, after: str) -> bool:
    return (before.isdigit() and after.isdigit()) or (before.isalpha() and after.isalpha())


def _longest_run(steps: list[int | None]) -> int:
    """Characters in the longest stretch whose steps are all the same and not None."""
    longest = here = 1
    last: int | None = None
    for step in steps:
        here = here + 1 if step is not None and step == last else (2 if step is not None else 1)
        last, longest = step, max(longest, here)
    return longest


class HistoryValidator:
    """None of the last `remembered` passwords, the current one included."""

    def __init__(self, remembered: int) -> None:
        self.remembered = remembered

    def validate(self, password: str, user: Any = None) -> None:
        if not isinstance(user, User) or user.pk is None:
            return
        current = User.objects.filter(pk=user.pk).values_list("password", flat=True)
        old = PasswordRecord.objects.filter(user=user).values_list("password", flat=True)[: self.remembered - 1]
        if any(check_password(password, known) for known in [*current, *old]):
            raise ValidationError(self.get_help_text(), code="password_used_before")

    def get_help_text(self) -> str:
        return _("Not one of your last %(count)s passwords.") % {"count": self.remembered}
