from governance.models.approval import ApprovalRound, ApprovalStep
from governance.models.authority import SystemOwner
from governance.models.policy import ApprovalPolicy, PolicyStep
from governance.models.policy_change import PolicyChange
from governance.models.review import ResultReview
from governance.models.standing import StandingApproval

__all__ = [
    "ApprovalPolicy",
    "ApprovalRound",
    "ApprovalStep",
    "PolicyChange",
    "PolicyStep",
    "ResultReview",
    "StandingApproval",
    "SystemOwner",
]
