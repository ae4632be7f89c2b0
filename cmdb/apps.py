from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CmdbConfig(AppConfig):
    name = "cmdb"
    verbose_name = _("CMDB")

    def ready(self) -> None:
        from auditlog.registry import auditlog

        from cmdb.models import EnvironmentProfile, Server, Site, System

        for model in (Site, System, EnvironmentProfile, Server):
            auditlog.register(model)
