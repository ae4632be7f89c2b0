from django.apps import AppConfig


class GuardiaConfig(AppConfig):
    name = "guardia"
    verbose_name = "Guardia"

    def ready(self) -> None:
        from guardia import admin, checks, panels  # noqa: F401 - connects the checks

        admin.take_down()
        panels.register()
