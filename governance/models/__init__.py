from governance.models.approval import ApprovalRound, ApprovalStep
from governance.models.authority import SystemOwner
from governance.models.manual import Evidence, ManualRecord, Takeover
from governance.models.policy import ApprovalPolicy, PolicyStep
from governance.models.review import ChangeReview, ResultReview

__all__ = [
    "ApprovalPolicy",
    "ApprovalRound",
    "ApprovalStep",
    "ChangeReview",
    "Evidence",
    "ManualRecord",
    "PolicyStep",
    "ResultReview",
    "SystemOwner",
    "Takeover",
]
