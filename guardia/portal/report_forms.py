from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Institution, User
from audit.choices import ReportFormat, ReportKind
from audit.selectors import institutions_to_report, may_report
from audit.services.order_report import month_of
from guardia.common.clock import local_day


def _day_field(label: Any, help_text: Any = "") -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"), help_text=help_text)


class ReportForm(forms.Form):
    """What is ordered; by default about the last whole month."""

    kind = forms.ChoiceField(label=_("Kind"), choices=ReportKind.choices)
    institution = forms.ModelChoiceField(Institution.objects.none(), label=_("Institution"))
    since = _day_field(_("From day"), _("An access review always covers the whole month of this day."))
    until = _day_field(_("To day"))
    subject = forms.CharField(
        label=_("Of this alone"),
        max_length=160,
        required=False,
        help_text=_("For activity: one user name, task, system code or approver. Empty: all of them."),
    )
    format = forms.ChoiceField(
        label=_("Format"),
        choices=ReportFormat.choices,
        help_text=_("PDF to print and sign, XLSX to sort and filter, JSON Lines for programs and any number of rows."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=500, help_text=_("What it is for; it stands on the report."))

    def __init__(self, data: object, user: User) -> None:
        since, until = month_of(local_day().replace(day=1) - timedelta(days=1))
        super().__init__(data, initial={"since": since, "until": until})  # type: ignore[arg-type]  # as views pass it
        choice: Any = self.fields["institution"]
        choice.queryset = institutions_to_report(user)
        is_of_all = may_report(user, None)
        choice.required, choice.empty_label = not is_of_all, _("All institutions") if is_of_all else None


class EntryForm(forms.Form):
    """An explanation of one entry."""

    chain = forms.CharField(max_length=64)
    number = forms.IntegerField(min_value=1, max_value=2**62)
    text = forms.CharField(max_length=2000, required=False)
