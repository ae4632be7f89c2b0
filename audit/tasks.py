"""What the queue may ask for (`guardia.common.broker`)."""

from audit.choices import Mode
from audit.services import make_report as reports
from audit.services.deliver import deliver_checkpoints
from audit.services.make_checkpoint import checkpoint_if_due
from audit.services.verify import verify


def checkpoint() -> None:
    """Every minute: seal if it is due, and hand the stores what they lack."""
    checkpoint_if_due()
    deliver_checkpoints()


def verify_new() -> None:
    verify(mode=Mode.INCREMENTAL, actor="guardia")


def verify_everything() -> None:
    verify(mode=Mode.FULL, actor="guardia")


def make_report(report_pk: int) -> None:
    reports.make_report(report_pk)


def sweep_reports() -> None:
    reports.sweep_reports()
