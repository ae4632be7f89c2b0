"""What the queue may ask for (`guardia.common.broker`)."""

from execution import orphans
from execution.gate import dry_runs, host_keys
from execution.gateways import away
from execution.plan import prepare
from execution.rollout import drive, heal
from execution.rollout import start_run as starting
from execution.rollout import sweep as sweeping


def prepare_plan(task_pk: int) -> None:
    prepare.prepare_plan(int(task_pk))


def start_run(task_pk: int) -> None:
    starting.start_run(int(task_pk))


def drive_run(run_pk: int) -> None:
    drive.drive_run(int(run_pk))


def answer_failed_check(run_pk: int) -> None:
    heal.answer_failed_check(int(run_pk))


def scan_host_key(scan_pk: int) -> None:
    host_keys.answer_scan(int(scan_pk))


def answer_dry_run(dry_run_pk: int) -> None:
    dry_runs.answer_dry_run(int(dry_run_pk))


def remove_orphans() -> None:
    orphans.remove_orphans()


def sweep() -> None:
    away.halt_if_core_away()
    sweeping.sweep()
