from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _


class TaskStatus(TextChoices):
    """The short codes are what the API shows; design §2 draws the way from one to the next."""

    RECEIVED = "REC", _("Received")
    NEEDS_INFORMATION = "INF", _("Needs information")
    PARSED = "PAR", _("Parsed")
    PENDING_APPROVAL = "PEN", _("Pending approval")
    REJECTED = "REJ", _("Rejected")
    APPROVED = "APP", _("Approved")
    PREPARING_CHANGE = "CHG", _("Preparing change")
    PENDING_REVIEW = "REV", _("Pending review")
    SCHEDULED = "SCH", _("Scheduled")
    EXECUTING = "EXE", _("Executing")
    PENDING_VALIDATION = "VAL", _("Pending validation")
    COMPLETED = "COM", _("Completed")
    FAILED = "ERR", _("Failed, rolled back")
    MANUAL = "MAN", _("Manual intervention")
    HALTED = "HLT", _("Halted")
    WITHDRAWN = "WDR", _("Withdrawn")


class Category(TextChoices):
    DEPLOY = "DEPLOY", _("Deployment")
    INFRA_CONTROL = "INFRA_CONTROL", _("Infrastructure control")
    DATA = "DATA", _("Data")
    INSPECTION = "INSPECTION", _("Inspection")


class SubType(TextChoices):
    STATIC_SYNC = "STATIC_SYNC", _("Static files")
    WAS_ROLLING = "WAS_ROLLING", _("Rolling WAS deployment")
    CODE_FIX = "CODE_FIX", _("Code fix")
    SERVICE_RESTART = "SERVICE_RESTART", _("Service restart")
    SERVER_REBOOT = "SERVER_REBOOT", _("Server reboot")
    SSL_REPLACE = "SSL_REPLACE", _("Certificate replacement")
    PORT_OPEN = "PORT_OPEN", _("Port opening")
    CRON_EDIT = "CRON_EDIT", _("Schedule change")
    CONFIG_CHANGE = "CONFIG_CHANGE", _("Configuration change")
    SELF_HEAL = "SELF_HEAL", _("Self-healing")
    HOST_COMMAND = "HOST_COMMAND", _("Command on servers")
    DATA_CLEAN = "DATA_CLEAN", _("Data clean-up")
    DATA_SEED = "DATA_SEED", _("Data seed")
    DB_QUERY = "DB_QUERY", _("Database query")
    DATA_CHECK = "DATA_CHECK", _("Data check")
    LOG_ANALYSIS = "LOG_ANALYSIS", _("Log analysis")
    LOG_CLEAN = "LOG_CLEAN", _("Log clean-up")
    DISK_CLEAN = "DISK_CLEAN", _("Disk clean-up")
    MEMORY_CHECK = "MEMORY_CHECK", _("Memory check")
    PROCESS_CHECK = "PROCESS_CHECK", _("Process check")
    SECURITY_CHECK = "SECURITY_CHECK", _("Security check")
    ACCOUNT_CHECK = "ACCOUNT_CHECK", _("Account check")
    BACKUP = "BACKUP", _("Back-up")
    HEALTH_CHECK = "HEALTH_CHECK", _("Health check")


class Risk(IntegerChoices):
    LOW = 1, _("Low")
    MEDIUM = 2, _("Medium")
    HIGH = 3, _("High")
    VERY_HIGH = 4, _("Very high")


class Priority(IntegerChoices):
    """The PM's order of work; among equals the urgent and then the older go first."""

    HIGHEST = 1, _("1 · highest")
    HIGH = 2, _("2 · high")
    NORMAL = 3, _("3 · normal")
    LOW = 4, _("4 · low")
    LOWEST = 5, _("5 · lowest")


class Channel(TextChoices):
    PORTAL = "portal", _("Portal")
    ADMIN = "admin", _("Admin")
    API = "api", _("API")


#: Work that can't be done without bytes: naming a version isn't enough, the file has to come along.
NEEDS_FILE = frozenset({SubType.WAS_ROLLING, SubType.STATIC_SYNC, SubType.SSL_REPLACE})
#: Work on hosts: a system alone doesn't say on which.
NEEDS_SERVERS = frozenset(
    {
        SubType.WAS_ROLLING,
        SubType.SERVICE_RESTART,
        SubType.SERVER_REBOOT,
        SubType.HEALTH_CHECK,
        SubType.PROCESS_CHECK,
        SubType.MEMORY_CHECK,
        SubType.HOST_COMMAND,
        SubType.SELF_HEAL,
    }
)

_BY_CATEGORY = {
    Category.DEPLOY: Risk.HIGH,
    Category.INFRA_CONTROL: Risk.VERY_HIGH,
    Category.DATA: Risk.MEDIUM,
    Category.INSPECTION: Risk.LOW,
}
_BY_SUB_TYPE = {
    SubType.SERVICE_RESTART: Risk.MEDIUM,
    SubType.SELF_HEAL: Risk.MEDIUM,
    SubType.DATA_CLEAN: Risk.HIGH,
    SubType.DATA_SEED: Risk.HIGH,
    SubType.DB_QUERY: Risk.LOW,
    SubType.DATA_CHECK: Risk.LOW,
    SubType.LOG_CLEAN: Risk.MEDIUM,
    SubType.DISK_CLEAN: Risk.MEDIUM,
}


def risk_of(category: str, sub_type: str, *, is_dangerous: bool) -> Risk:
    """The risk that decides who must approve; what looks dangerous is always of the highest."""
    if is_dangerous:
        return Risk.VERY_HIGH
    for table, key in ((_BY_SUB_TYPE, sub_type), (_BY_CATEGORY, category)):
        if key in table:
            return table[key]  # type: ignore[index]  # each key is of its own table's kind
    return Risk.VERY_HIGH
