from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.choices import Role
from accounts.models import Institution, User
from accounts.scope import where_holding
from cmdb.choices import WhenAway
from cmdb.models import Gateway


class PolicyForm(forms.Form):
    """What it does alone."""

    when_away = forms.ChoiceField(label=_("While the core is away"), choices=WhenAway.choices)
    away_seconds = forms.IntegerField(
        label=_("Away after (seconds)"), min_value=10, max_value=86_400, initial=120, help_text=_("Counts for halting.")
    )


class GatewayForm(PolicyForm):
    field_order = ("institution", "code", "name")

    institution = forms.ModelChoiceField(Institution.objects.none(), label=_("Institution"))
    code = forms.CharField(
        label=_("Code"), max_length=20, help_text=_("Small letters, digits and hyphens; it names itself by it.")
    )
    name = forms.CharField(label=_("Name"), max_length=128)

    def __init__(self, data: object, user: User) -> None:
        super().__init__(data)  # type: ignore[arg-type]  # as Django's views pass it
        own = where_holding(Institution.objects.order_by("code"), user, [Role.ADMINISTRATOR])
        self.fields["institution"].queryset = own  # type: ignore[attr-defined]  # a choice of models


class FingerprintForm(forms.Form):
    seen = forms.CharField(max_length=80)


class TakeBackForm(forms.Form):
    task_id = forms.CharField(max_length=32)
    reason = forms.CharField(max_length=2000, required=False)


class SitesForm(forms.Form):
    codes = forms.CharField(max_length=50_000, required=False)

    @classmethod
    def words_of(cls, gateway: Gateway) -> str:
        return "\n".join(gateway.sites.order_by("code").values_list("code", flat=True))
