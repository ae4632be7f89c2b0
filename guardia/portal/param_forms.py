"""A playbook's parameters as fields of a form. The checks are the parameters' own."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from execution.playbooks.params import Param, ParamInvalid, in_language
from execution.playbooks.template import variables_in

PREFIX = "param-"


class ParamForm(forms.Form):
    """One field for each parameter, named `param-<name>`. `is_hosted`: with a field for hosts before them."""

    def __init__(
        self,
        data: Any = None,
        *,
        params: tuple[Param, ...],
        known: Mapping[str, Any] | None = None,
        is_hosted: bool = False,
    ) -> None:
        super().__init__(data)
        self.params = params
        if is_hosted:
            self.fields["host"] = forms.CharField(
                label=_("Servers"), max_length=2000, help_text=_("Names, divided by commas.")
            )
        for param in params:
            self.fields[PREFIX + param.name] = _field(param, (known or {}).get(param.name))

    def given(self) -> dict[str, Any]:
        """What was filled in, checked; what was left empty isn't in it."""
        values = {param.name: self.cleaned_data.get(PREFIX + param.name) for param in self.params}
        return {name: value for name, value in values.items() if value not in (None, "", [])}


def _field(param: Param, known: Any) -> forms.Field:
    default = "" if variables_in(param.default) else param.default
    initial = known if known is not None else default
    options: dict[str, Any] = {
        "label": param.shown_label(),
        "help_text": param.shown_help(),
        "required": param.required and param.default is None,
        "initial": "\n".join(initial) if isinstance(initial, list) else initial,
    }
    if param.kind == "bool":
        return forms.BooleanField(**{**options, "required": False})
    if param.kind == "choice":
        choices = [(value, in_language(texts)) for value, texts in (param.choices or {}).items()]
        return forms.ChoiceField(choices=choices, **options)
    field = forms.CharField(max_length=2000, **options)
    if param.kind == "lines":
        field.widget = forms.Textarea(attrs={"rows": 4})
    elif param.kind in ("int", "port"):
        field.widget.attrs["inputmode"] = "numeric"
    if variables_in(param.default):
        field.widget.attrs["placeholder"] = param.default
    field.clean = _checking(field.clean, param)  # type: ignore[method-assign, assignment]  # one field's, not the class's
    return field


def _checking(clean: Callable[[Any], Any], param: Param) -> Callable[[Any], Any]:
    def checked(value: Any) -> Any:
        text = clean(value)
        if text in (None, ""):
            return text
        try:
            return param.checked(text)
        except ParamInvalid as error:
            raise forms.ValidationError(str(error)) from error

    return checked
