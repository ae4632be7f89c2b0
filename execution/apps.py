from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExecutionConfig(AppConfig):
    name = "execution"
    verbose_name = _("Execution")

    def ready(self) -> None:
        from execution import panels, receivers  # noqa: F401 - connects the signals

        panels.register()
