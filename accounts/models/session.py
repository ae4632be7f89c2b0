from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.choices import SessionEnd
from accounts.models.people import User


class UserSession(models.Model):
    """One log-in in one browser. The browser's session names this row; while it isn't ended, the session lives.

    So whoever may end a session does it by one update, and every process knows at its next look.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="sessions", verbose_name=_("user"))
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    last_seen_at = models.DateTimeField(_("last seen"))
    source_ip = models.CharField(_("address"), max_length=64, blank=True)
    browser = models.CharField(_("browser"), max_length=200, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.CharField(_("ended by"), max_length=16, choices=SessionEnd.choices, blank=True)

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(fields=["user"], condition=models.Q(ended_at=None), name="session_of_user_alive")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(ended_at=None, ended_by="")
                | models.Q(ended_at__isnull=False, ended_by__in=SessionEnd.values),
                name="session_ended_for_a_reason",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.source_ip} · {self.started_at:%Y-%m-%d %H:%M}"
