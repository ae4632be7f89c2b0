from execution.models.choice import PlaybookChoice
from execution.models.core_log import CoreLog
from execution.models.dry_run import DryLook, DryRun
from execution.models.events import EventHead, RunEvent
from execution.models.facts import ServerFacts
from execution.models.gateway import CoreLink, GatewayNonce, GatewayOrder, Parcel, RunPart
from execution.models.halt import Halt
from execution.models.healing import Healing
from execution.models.host_key import HostKeyScan
from execution.models.host_run import HostLock, HostRun, StepResult
from execution.models.plan import Plan, Playbook
from execution.models.result import ResultPackage
from execution.models.run import Run, Wave
from execution.models.table import ResultTable

__all__ = [
    "CoreLink",
    "CoreLog",
    "DryLook",
    "DryRun",
    "EventHead",
    "GatewayNonce",
    "GatewayOrder",
    "Halt",
    "Healing",
    "HostKeyScan",
    "HostLock",
    "HostRun",
    "Parcel",
    "Plan",
    "Playbook",
    "PlaybookChoice",
    "ResultPackage",
    "ResultTable",
    "Run",
    "RunEvent",
    "RunPart",
    "ServerFacts",
    "StepResult",
    "Wave",
]
