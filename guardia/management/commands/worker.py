"""`manage.py worker`: one django-q2 cluster. First it picks up what a killed worker left, then it waits for bells."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from execution.rollout.sweep import sweep
from guardia.schedules import reconcile


class Command(BaseCommand):
    help = "Run a worker: plans, rollouts, sweeps."

    def handle(self, *args: Any, **options: Any) -> None:
        reconcile()
        sweep()
        call_command("qcluster")
