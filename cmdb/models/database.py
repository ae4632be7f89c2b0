from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cmdb.choices import CredentialKind, DatabaseDialect
from cmdb.models.credential import Credential
from cmdb.models.inventory import PORT_RANGE, Server
from cmdb.validators import check_absolute_path, check_database_host, check_database_name


class Database(models.Model):
    """A database of a system, reached by the client on one of its servers; `host` is as seen from there.

    Without a credential the client logs in as the server's own account (peer authentication)."""

    scope_path = "server__system__institution"

    server = models.ForeignKey(
        Server,
        models.PROTECT,
        related_name="databases",
        verbose_name=_("server"),
        help_text=_("Where the client runs; the database itself may be on another host."),
    )
    name = models.CharField(_("name"), max_length=64, help_text=_("As requests name it; one per server."))
    dialect = models.CharField(_("kind"), max_length=16, choices=DatabaseDialect.choices)
    database = models.CharField(_("database"), max_length=255, help_text=_("Its name; for SQLite the absolute path."))
    host = models.CharField(
        _("host"),
        max_length=255,
        blank=True,
        validators=[check_database_host],
        help_text=_("As seen from the server; empty for its local socket."),
    )
    port = models.PositiveIntegerField(_("port"), null=True, blank=True, validators=PORT_RANGE)
    client = models.CharField(
        _("client"),
        max_length=255,
        blank=True,
        validators=[check_absolute_path],
        help_text=_("Absolute path of psql, mysql or sqlite3 where it isn't on the PATH."),
    )
    credential = models.ForeignKey(
        Credential,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="databases",
        verbose_name=_("credential"),
        help_text=_("User and password; empty for the server's own account."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("database")
        verbose_name_plural = _("databases")
        ordering: ClassVar = ["server", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["server", "name"], name="database_name_once"),
            models.CheckConstraint(condition=Q(dialect__in=DatabaseDialect.values), name="database_dialect_known"),
        ]

    def __str__(self) -> str:
        return f"{self.name} @ {self.server}"

    def clean(self) -> None:
        """The credential is a password of the same institution; the name is a path where the database is a file."""
        (check_absolute_path if self.dialect == DatabaseDialect.SQLITE else check_database_name)(self.database)
        credential = self.credential
        if credential is None:
            return
        if credential.institution_id != self.server.system.institution_id:
            raise ValidationError({"credential": _("It belongs to another institution.")})
        if credential.kind != CredentialKind.PASSWORD or self.dialect == DatabaseDialect.SQLITE:
            raise ValidationError({"credential": _("A database takes a password, and SQLite takes none.")})
