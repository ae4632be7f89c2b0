from accounts.models.people import Institution, Membership, PasswordRecord, User
from accounts.models.rate import RateBucket
from accounts.models.second_factor import RecoveryCode, TotpDevice
from accounts.models.session import UserSession
from accounts.models.token import ApiToken

__all__ = [
    "ApiToken",
    "Institution",
    "Membership",
    "PasswordRecord",
    "RateBucket",
    "RecoveryCode",
    "TotpDevice",
    "User",
    "UserSession",
]
