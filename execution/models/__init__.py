from execution.models.events import EventHead, RunEvent
from execution.models.plan import Plan, Playbook
from execution.models.result import ResultPackage
from execution.models.run import HostLock, HostRun, Run, StepResult, Wave
from execution.models.table import ResultTable

__all__ = [
    "EventHead",
    "HostLock",
    "HostRun",
    "Plan",
    "Playbook",
    "ResultPackage",
    "ResultTable",
    "Run",
    "RunEvent",
    "StepResult",
    "Wave",
]
