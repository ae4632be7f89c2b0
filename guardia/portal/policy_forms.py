"""Forms of policies and standing pre-approvals. The rules are the services'; here are only the fields."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cmdb.choices import Tier
from governance.choices import StepRole
from governance.models.policy import MOST_APPROVERS
from governance.policy_documents import MOST_STEPS, PolicyDocument, StepDocument
from governance.services.standing_approvals import LONGEST, MOST_DAYS, MOST_USES
from guardia.common.clock import now
from tickets.choices import Category, Risk, SubType

AUTOMATIC = "AUTOMATIC"
_ANY = ("", _("Any"))
_NOBODY = ("", "–")


class PolicyForm(forms.Form):
    """A policy with a fixed number of step rows; a row without a role is no step."""

    name = forms.CharField(label=_("name"), max_length=64)
    category = forms.ChoiceField(label=_("category"), choices=[_ANY, *Category.choices], required=False)
    sub_type = forms.ChoiceField(label=_("sub-type"), choices=[_ANY, *SubType.choices], required=False)
    risk = forms.TypedChoiceField(
        label=_("risk"), choices=[_ANY, *Risk.choices], required=False, coerce=int, empty_value=None
    )
    tier = forms.TypedChoiceField(
        label=_("tier"), choices=[_ANY, *Tier.choices], required=False, coerce=int, empty_value=None
    )
    reason = forms.CharField(
        label=_("Why should it change?"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = [_NOBODY, *StepRole.choices, (AUTOMATIC, _("Automatic security check"))]
        for n in range(1, MOST_STEPS + 1):
            self.fields[f"who{n}"] = forms.ChoiceField(label=_("Who decides"), choices=roles, required=False)
            self.fields[f"people{n}"] = forms.IntegerField(
                label=_("people needed"), min_value=1, max_value=MOST_APPROVERS, required=False, initial=1
            )
            self.fields[f"again{n}"] = forms.BooleanField(label=_("asks for the password again"), required=False)

    def rows(self) -> list[dict[str, Any]]:
        """The bound fields of each step row, for the template."""
        return [
            {"number": n, "who": self[f"who{n}"], "people": self[f"people{n}"], "again": self[f"again{n}"]}
            for n in range(1, MOST_STEPS + 1)
        ]

    def document(self) -> PolicyDocument:
        """What the valid form says."""
        data = self.cleaned_data
        steps = [
            StepDocument(
                role=StepRole.SECURITY_OFFICER.value if data[f"who{n}"] == AUTOMATIC else data[f"who{n}"],
                approvers_needed=data[f"people{n}"] or 1,
                needs_reauthentication=data[f"again{n}"],
                is_automatic=data[f"who{n}"] == AUTOMATIC,
            )
            for n in range(1, MOST_STEPS + 1)
            if data[f"who{n}"]
        ]
        return PolicyDocument(
            name=data["name"].strip(),
            category=data["category"],
            sub_type=data["sub_type"],
            risk=data["risk"],
            tier=data["tier"],
            steps=steps,
        )

    @staticmethod
    def initial_of(document: PolicyDocument) -> dict[str, Any]:
        """The values that show a policy."""
        values: dict[str, Any] = {key: value for key, value in document.items() if key != "steps"}
        for n, step in enumerate(document["steps"], start=1):
            values |= {
                f"who{n}": AUTOMATIC if step["is_automatic"] else step["role"],
                f"people{n}": step["approvers_needed"],
                f"again{n}": step["needs_reauthentication"],
            }
        return values


class StandingForm(forms.Form):
    """A standing pre-approval; `days` from now is its end."""

    sub_type = forms.ChoiceField(label=_("sub-type"), choices=SubType.choices)
    role = forms.ChoiceField(label=_("Decided as"), choices=StepRole.choices)
    days = forms.IntegerField(label=_("Valid for (days)"), min_value=1, max_value=LONGEST.days, initial=30)
    uses_allowed = forms.IntegerField(label=_("times per period"), min_value=1, max_value=MOST_USES, initial=1)
    period_days = forms.IntegerField(label=_("period in days"), min_value=1, max_value=MOST_DAYS, initial=7)
    reason = forms.CharField(label=_("reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))

    def extent(self) -> dict[str, Any]:
        """What `give_standing_approval` takes."""
        data = dict(self.cleaned_data)
        return {
            **{key: data[key] for key in ("uses_allowed", "period_days", "reason")},
            "sub_type": SubType(data["sub_type"]),
            "role": StepRole(data["role"]),
            "valid_until": now() + timedelta(days=data["days"]) - timedelta(seconds=1),
        }
