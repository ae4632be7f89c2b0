from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GovernanceConfig(AppConfig):
    name = "governance"
    verbose_name = _("Governance")

    def ready(self) -> None:
        from auditlog.registry import auditlog

        from governance import panels, receivers  # noqa: F401 - connects the act of rank
        from governance.models import (
            Absence,
            AccessRange,
            ApprovalPolicy,
            ChangeWindow,
            ExtraHoliday,
            Freeze,
            PolicyStep,
            SystemOwner,
        )

        settings = (SystemOwner, ApprovalPolicy, PolicyStep, ChangeWindow, ExtraHoliday, Freeze, AccessRange, Absence)
        for model in settings:
            auditlog.register(model)
        panels.register()
