from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _


class Tier(IntegerChoices):
    """How much a mistake on the site would hurt; decides approvals and the pace of rollouts."""

    CRITICAL = 1, _("Tier 1 (critical)")
    STANDARD = 2, _("Tier 2 (standard)")
    TEST = 3, _("Tier 3 (test)")


class ServerRole(TextChoices):
    WEB = "web", _("Web server")
    WAS = "was", _("Application server")
    DB = "db", _("Database")
    BATCH = "batch", _("Batch")
    LB = "lb", _("Load balancer")


class DatabaseDialect(TextChoices):
    POSTGRESQL = "postgresql", "PostgreSQL"
    MARIADB = "mariadb", _("MariaDB or MySQL")
    SQLITE = "sqlite", "SQLite"


class OnDrift(TextChoices):
    """What a run does where a host isn't what its profile says."""

    IGNORE = "ignore", _("Don't look")
    WARN = "warn", _("Say so and go on")
    STOP = "stop", _("Stop before anything is changed")
    ADAPT = "adapt", _("Take over what only describes the host, stop at the rest")


class SudoPolicy(TextChoices):
    ANY = "", _("Not looked at")
    NONE = "none", _("The account has no sudo")
    ALLOWED = "allowed", _("The account has sudo without a password")


class Selinux(TextChoices):
    ANY = "", _("Not looked at")
    ENFORCING = "Enforcing", "Enforcing"
    PERMISSIVE = "Permissive", "Permissive"
    DISABLED = "Disabled", "Disabled"


class BalancerKind(TextChoices):
    HAPROXY = "haproxy", "HAProxy"
    NGINX = "nginx", "nginx"
    HOOK = "hook", _("Command of the institution")


#: Algorithms of SSH that are no longer safe; a profile allows by name what its old servers need (execution.ssh.legacy).
LEGACY_SSH = (
    "diffie-hellman-group-exchange-sha1",
    "diffie-hellman-group14-sha1",
    "diffie-hellman-group1-sha1",
    "ssh-rsa",
    "aes256-cbc",
    "aes192-cbc",
    "aes128-cbc",
    "3des-cbc",
    "hmac-sha1-96",
    "hmac-md5",
    "hmac-md5-96",
)


class CredentialKind(TextChoices):
    PASSWORD = "password", _("Password")
    PRIVATE_KEY = "private_key", _("Private key")


class GatewayState(TextChoices):
    WAITING = "WAITING", _("Not enrolled yet")
    SHOWN = "SHOWN", _("To be compared")
    ACTIVE = "ACTIVE", _("In service")
    REVOKED = "REVOKED", _("Revoked")


class WhenAway(TextChoices):
    """What a gateway does with the work it holds while it doesn't reach the core."""

    FINISH = "FINISH", _("Finish what it was given")
    HALT = "HALT", _("Halt after the set time")
