from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from governance.choices import ReviewDecision
from tickets.services.file_task import KEY_LIMIT
from tickets.understanding import TEXT_LIMIT

#: What a browser's field for a moment sends.
MINUTES = "%Y-%m-%dT%H:%M"


class _Moment(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format=MINUTES)


class TaskForm(forms.Form):
    """A request in the site manager's own words; the file is optional until the work needs one."""

    text = forms.CharField(
        label=_("What should be done?"),
        max_length=TEXT_LIMIT,
        widget=forms.Textarea(
            attrs={
                "rows": 6,
                "autofocus": True,
                "placeholder": _("e.g. 기재부 예산시스템 WAS 전체에 2.1.0 배포해 주세요"),
            }
        ),
        help_text=_("Name the institution, the system and the servers as you would on the phone."),
    )
    artefact = forms.FileField(
        label=_("File"), required=False, help_text=_("For deployments: the artefact (WAR, ZIP).")
    )
    key = forms.CharField(max_length=KEY_LIMIT, required=False, widget=forms.HiddenInput)


class InformationForm(forms.Form):
    text = forms.CharField(
        label=_("More information"), max_length=TEXT_LIMIT, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    artefact = forms.FileField(label=_("File"), required=False)


class DecisionForm(forms.Form):
    decision = forms.CharField()
    digest = forms.RegexField(r"^[0-9a-f]{64}$")
    comment = forms.CharField(max_length=2000, required=False)
    password = forms.CharField(max_length=1000, strip=False, required=False)
    otp = forms.CharField(max_length=32, required=False)


class ValidationForm(forms.Form):
    decision = forms.ChoiceField(choices=ReviewDecision.choices)
    comment = forms.CharField(max_length=2000, required=False)
    artefact = forms.FileField(required=False)


class ChangeReviewForm(forms.Form):
    decision = forms.ChoiceField(choices=ReviewDecision.choices)
    digest = forms.RegexField(r"^[0-9a-f]{64}$")
    instruction = forms.CharField(max_length=5000, required=False)


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=2000, required=False)


class ManualRecordForm(forms.Form):
    """What was done by hand; servers and files are lists and are read beside it."""

    text = forms.CharField(max_length=TEXT_LIMIT, required=False)
    command_log = forms.CharField(required=False)
    done_at = forms.DateTimeField(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


class WordsForm(forms.Form):
    """A few words to an act; whether they are needed is the service's to say."""

    words = forms.CharField(max_length=2000, required=False)


class ReassignForm(forms.Form):
    to = forms.IntegerField(min_value=1, max_value=2**31 - 1)
    words = forms.CharField(max_length=2000, required=False)


class AbsenceForm(forms.Form):
    """From and until in the users' time zone; the deputies to choose from are given by the view."""

    user = forms.ModelChoiceField(User.objects.none(), label=_("Who is away?"))
    starts_at = forms.DateTimeField(label=_("From"), input_formats=[MINUTES], widget=_Moment())
    ends_at = forms.DateTimeField(label=_("Until"), input_formats=[MINUTES], widget=_Moment())
    deputy = forms.ModelChoiceField(
        User.objects.none(), label=_("Deputy"), required=False, empty_label=_("The usual one of each system")
    )
    reason = forms.CharField(label=_("Reason"), max_length=500)

    def __init__(self, *args: Any, deputies: QuerySet[User], users: QuerySet[User] | None = None) -> None:
        super().__init__(*args)
        self.fields["deputy"].queryset = deputies  # type: ignore[attr-defined]  # a field with choices, as declared above
        if users is None:
            del self.fields["user"]
        else:
            self.fields["user"].queryset = users  # type: ignore[attr-defined]  # a field with choices, as declared above
