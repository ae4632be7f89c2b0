from execution.models.events import EventHead, RunEvent
from execution.models.halt import Halt
from execution.models.plan import Plan, Playbook
from execution.models.result import ResultPackage
from execution.models.run import HostLock, HostRun, Run, StepResult, Wave

__all__ = [
    "EventHead",
    "Halt",
    "HostLock",
    "HostRun",
    "Plan",
    "Playbook",
    "ResultPackage",
    "Run",
    "RunEvent",
    "StepResult",
    "Wave",
]
