from governance.models.access_range import AccessRange
from governance.models.approval import ApprovalRound, ApprovalStep
from governance.models.authority import Absence, SystemOwner
from governance.models.manual import Evidence, ManualRecord, Takeover
from governance.models.policy import ApprovalPolicy, PolicyStep
from governance.models.policy_change import PolicyChange
from governance.models.question import StepQuestion
from governance.models.review import ChangeReview, ResultReview
from governance.models.standing import StandingApproval
from governance.models.window import ChangeWindow, ExtraHoliday, Freeze, FreezeException

__all__ = [
    "Absence",
    "AccessRange",
    "ApprovalPolicy",
    "ApprovalRound",
    "ApprovalStep",
    "ChangeReview",
    "ChangeWindow",
    "Evidence",
    "ExtraHoliday",
    "Freeze",
    "FreezeException",
    "ManualRecord",
    "PolicyChange",
    "PolicyStep",
    "ResultReview",
    "StandingApproval",
    "StepQuestion",
    "SystemOwner",
    "Takeover",
]
