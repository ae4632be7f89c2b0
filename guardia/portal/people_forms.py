from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.choices import Role
from accounts.models import Institution, User
from governance.models import SystemOwner
from governance.services.name_owner import LONGEST_SLA_MINUTES

_ALL = "all"


class OwnerForm(forms.Form):
    """The people to choose from are given by the view; the row fills in who it is now."""

    owner = forms.ModelChoiceField(User.objects.none(), label=_("Owner"), help_text=_("Asked first."))
    deputy = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Deputy"),
        required=False,
        help_text=_("Asked when the owner is away or doesn't answer in time."),
    )
    supervisor = forms.ModelChoiceField(
        User.objects.none(), label=_("Supervisor"), required=False, help_text=_("Asked last, marked urgent.")
    )
    sla_minutes = forms.IntegerField(
        label=_("Minutes to answer"), min_value=1, max_value=LONGEST_SLA_MINUTES, help_text=_("For each of them.")
    )
    is_active = forms.BooleanField(
        label=_("In use"), required=False, help_text=_("If not, the institution's team leads are asked.")
    )

    def __init__(self, data: Any = None, *, able: QuerySet[User], row: SystemOwner | None) -> None:
        names = ("owner", "deputy", "supervisor")
        now = {name: getattr(row, f"{name}_id", None) for name in names}
        minutes, is_active = (row.sla_minutes, row.is_active) if row else (10, True)
        super().__init__(data, initial={**now, "sla_minutes": minutes, "is_active": is_active})
        for name in names:
            self.fields[name].queryset = able  # type: ignore[attr-defined]  # a field with choices, as declared above


class PersonForm(forms.Form):
    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    display_name = forms.CharField(label=_("Name"), max_length=64)
    password = forms.CharField(
        label=_("First password"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("They must choose their own at the first log-in."),
    )

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        if settings.GUARDIA_LDAP_URL:
            self.fields["password"].required = False
            self.fields["password"].help_text = _("Leave it empty for somebody who logs in by the directory.")


class RoleForm(forms.Form):
    """The institutions to choose from are given by the view; all of them is a choice of its own, never the default."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
    institution = forms.ChoiceField(label=_("Institution"))

    def __init__(self, *args: Any, institutions: QuerySet[Institution], may_all: bool) -> None:
        super().__init__(*args)
        self.institutions = {str(row.pk): row for row in institutions}
        ends = [(_ALL, _("All institutions"))] if may_all else []
        rows = [(key, str(row)) for key, row in self.institutions.items()]
        self.fields["institution"].choices = [("", "---------"), *rows, *ends]  # type: ignore[attr-defined]  # a field with choices, as declared above

    def clean_institution(self) -> Institution | None:
        return self.institutions.get(self.cleaned_data["institution"])
