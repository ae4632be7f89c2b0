from django import forms
from django.utils.translation import gettext_lazy as _

from tickets.services.file_task import KEY_LIMIT
from tickets.understanding import TEXT_LIMIT


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


class ValidationForm(forms.Form):
    decision = forms.ChoiceField(choices=[("accept", "accept"), ("refuse", "refuse")])
    comment = forms.CharField(max_length=2000, required=False)
