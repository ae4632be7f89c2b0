from execution.models.events import EventHead, RunEvent
from execution.models.halt import Halt
from execution.models.host_key import HostKeyScan
from execution.models.plan import Plan, Playbook
from execution.models.result import ResultPackage
from execution.models.run import HostLock, HostRun, Run, StepResult, Wave

__all__ = [
    "EventHead",
    "Halt",
    "HostKeyScan",
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
