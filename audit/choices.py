from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class FaultKind(TextChoices):
    """What is wrong at the first bad entry or checkpoint (docs/audit-format.md, “What is wrong”)."""

    ALTERED = "altered", _("The entry was altered")
    INSERTED = "inserted", _("An entry was inserted")
    DELETED = "deleted", _("An entry is missing")
    REORDERED = "reordered", _("The entry is in the wrong place")
    CUT_TAIL = "cut_tail", _("The end of the chain was cut off")
    REWRITTEN = "rewritten", _("The chain was rewritten: it is not what the signed checkpoint says")
    BAD_SIGNATURE = "bad_signature", _("The checkpoint's signature is wrong")
    MISSING_CHECKPOINT = "missing_checkpoint", _("A checkpoint is missing")


class HoldStatus(TextChoices):
    ACTIVE = "ACTIVE", _("Executions are stopped")
    PROPOSED = "PROPOSED", _("Acceptance waits for a second person")
    ACCEPTED = "ACCEPTED", _("Accepted by two people")
    RESTORED = "RESTORED", _("Restored")


#: Executions of the scope are stopped in these.
STOPPING = (HoldStatus.ACTIVE, HoldStatus.PROPOSED)


class Mode(TextChoices):
    FULL = "FULL", _("Everything")
    INCREMENTAL = "INCREMENTAL", _("What is new")


class KeyStatus(TextChoices):
    LIVING = "LIVING", _("In use")
    PROPOSED = "PROPOSED", _("Erasure waits for a second person")
    ERASED = "ERASED", _("Erased")


class ReportKind(TextChoices):
    """What a report tells of a period (`audit.reports`)."""

    VERIFICATION = "VERIFICATION", _("Verification report")
    ACCESS_REVIEW = "ACCESS_REVIEW", _("Access review of a month")
    BY_USER = "BY_USER", _("Activity per user")
    BY_TASK = "BY_TASK", _("Activity per task")
    BY_SYSTEM = "BY_SYSTEM", _("Activity per system")
    BY_APPROVER = "BY_APPROVER", _("Activity per approver")


class ReportFormat(TextChoices):
    PDF = "pdf", "PDF"
    XLSX = "xlsx", "XLSX (Excel)"
    JSONL = "jsonl", "JSON Lines"


class ReportState(TextChoices):
    QUEUED = "QUEUED", pgettext_lazy("report", "Waits for a worker")
    RUNNING = "RUNNING", pgettext_lazy("report", "Is being made")
    READY = "READY", pgettext_lazy("report", "Ready")
    FAILED = "FAILED", pgettext_lazy("report", "Failed")
    EXPIRED = "EXPIRED", pgettext_lazy("report", "Deleted")


#: A worker has these before it.
UNDER_WAY = (ReportState.QUEUED, ReportState.RUNNING)
