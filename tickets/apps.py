from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TicketsConfig(AppConfig):
    name = "tickets"
    verbose_name = _("Ops tasks")

    def ready(self) -> None:
        from auditlog.registry import auditlog

        from tickets.models import OpsTask

        auditlog.register(OpsTask)
