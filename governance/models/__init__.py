from governance.models.approval import ApprovalRound, ApprovalStep
from governance.models.authority import Absence, SystemOwner
from governance.models.policy import ApprovalPolicy, PolicyStep
from governance.models.question import StepQuestion
from governance.models.review import ResultReview

__all__ = [
    "Absence",
    "ApprovalPolicy",
    "ApprovalRound",
    "ApprovalStep",
    "PolicyStep",
    "ResultReview",
    "StepQuestion",
    "SystemOwner",
]
