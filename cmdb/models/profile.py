from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Institution
from cmdb.choices import LEGACY_SSH, OnDrift, Selinux, SudoPolicy
from cmdb.validators import check_account, check_path_below, check_plain_line

_BELOW = [check_path_below]


class EnvironmentProfile(models.Model):
    """How a kind of server is operated, and what such a server looks like (`execution.facts`). Paths are relative to
    the server's home; `revision` grows with each change, so that a plan can say which one it was made from."""

    scope_path = "institution"

    institution = models.ForeignKey(Institution, models.PROTECT, related_name="profiles", verbose_name=_("institution"))
    name = models.CharField(_("name"), max_length=64)
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    middleware = models.CharField(_("middleware"), max_length=64, blank=True)
    startup_script = models.CharField(_("start script"), max_length=255, validators=_BELOW, default="bin/startup.sh")
    shutdown_script = models.CharField(_("stop script"), max_length=255, validators=_BELOW, default="bin/shutdown.sh")
    pid_file = models.CharField(_("PID file"), max_length=255, validators=_BELOW, default="run/app.pid")
    log_file = models.CharField(_("core log"), max_length=255, validators=_BELOW, default="logs/catalina.out")
    artefact_path = models.CharField(_("artefact"), max_length=255, validators=_BELOW, default="webapps/app.war")
    backup_dir = models.CharField(_("back-up folder"), max_length=255, validators=_BELOW, default="backup")
    incoming_dir = models.CharField(_("upload folder"), max_length=255, validators=_BELOW, default="incoming")
    health_path = models.CharField(_("health check path"), max_length=255, default="/health")
    log_ready = models.CharField(
        _("log when ready"), max_length=128, default="Server startup in", help_text=_("Plain text, no pattern.")
    )
    log_broken = models.CharField(_("log when broken"), max_length=128, default="SEVERE")
    free_disk_mib = models.PositiveIntegerField(_("free disk needed (MiB)"), default=256)
    stop_seconds = models.PositiveIntegerField(_("time to stop (s)"), default=30)
    start_seconds = models.PositiveIntegerField(_("time to start (s)"), default=60)
    os_text = models.CharField(
        _("operating system"),
        max_length=64,
        blank=True,
        validators=[check_plain_line],
        help_text=_("Plain text that its name and version contain, “Red Hat Enterprise Linux 7” for one; empty: any."),
    )
    process_text = models.CharField(
        _("in the service's command line"),
        max_length=128,
        blank=True,
        validators=[check_plain_line],
        help_text=_("Plain text, “org.apache.catalina” for one; empty: any."),
    )
    service_account = models.CharField(
        _("service account"),
        max_length=64,
        blank=True,
        validators=[check_account],
        help_text=_("Whose process the service is, or whose its home; empty: anybody's."),
    )
    sudo = models.CharField(_("sudo"), max_length=8, blank=True, choices=SudoPolicy.choices, default=SudoPolicy.ANY)
    selinux = models.CharField("SELinux", max_length=12, blank=True, choices=Selinux.choices, default=Selinux.ANY)
    on_drift = models.CharField(
        _("where a server differs"),
        max_length=8,
        choices=OnDrift.choices,
        default=OnDrift.WARN,
        help_text=_("Looked at on each server at the beginning of a run."),
    )
    core_logs = ArrayField(
        models.CharField(max_length=255, validators=_BELOW),
        verbose_name=_("further core logs"),
        size=7,
        default=list,
        blank=True,
        help_text=_("Their last part is kept with the core log's where a server fails."),
    )
    legacy_ssh = ArrayField(
        models.CharField(max_length=48, choices=[(name, name) for name in LEGACY_SSH]),
        verbose_name=_("outdated SSH algorithms allowed"),
        default=list,
        blank=True,
        help_text=_("Only what these servers need; each is a risk that approvers see."),
    )

    class Meta:
        verbose_name = _("environment profile")
        verbose_name_plural = _("environment profiles")
        ordering: ClassVar = ["institution", "name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["institution", "name"], name="profile_name_once")]

    def __str__(self) -> str:
        return f"{self.name} r{self.revision}"
