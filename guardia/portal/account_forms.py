from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_texts
from django.utils.translation import gettext_lazy as _

from accounts.choices import TokenScope
from accounts.services.tokens import LONGEST_DAYS

_LONGEST_PASSWORD = 1000  # hashing what is longer would be a way to keep us busy


class _PasswordInput(forms.PasswordInput):
    def __init__(self, autocomplete: str) -> None:
        super().__init__(attrs={"autocomplete": autocomplete})


class PasswordForm(forms.Form):
    """`old` may be wrong: the view asks `confirm_identity`."""

    old = forms.CharField(
        label=_("Current password"),
        max_length=_LONGEST_PASSWORD,
        strip=False,
        widget=_PasswordInput("current-password"),
    )
    new = forms.CharField(
        label=_("New password"), max_length=_LONGEST_PASSWORD, strip=False, widget=_PasswordInput("new-password")
    )
    again = forms.CharField(
        label=_("New password again"), max_length=_LONGEST_PASSWORD, strip=False, widget=_PasswordInput("new-password")
    )

    @property
    def rules(self) -> list[str]:
        return password_validators_help_texts()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("new") != data.get("again"):
            self.add_error("again", _("The two passwords are not the same."))
        return data


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("One-time code"),
        max_length=32,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )


class ConfirmForm(forms.Form):
    """One of the two; the page shows what the user has."""

    password = forms.CharField(max_length=_LONGEST_PASSWORD, strip=False, required=False)
    otp = forms.CharField(max_length=32, required=False)


class TokenForm(forms.Form):
    name = forms.CharField(label=_("What is it for?"), max_length=64)
    scopes = forms.MultipleChoiceField(
        label=_("What may it do?"), choices=TokenScope.choices, widget=forms.CheckboxSelectMultiple
    )
    days = forms.IntegerField(label=_("Days until it expires"), min_value=1, max_value=LONGEST_DAYS, initial=90)


def session_limits() -> dict[str, int]:
    """For the words on the account page."""
    return {"idle": settings.GUARDIA_SESSION_IDLE_MINUTES, "hours": settings.GUARDIA_SESSION_HOURS}
