"""Who somebody is, asked again by the API."""

from rest_framework.request import Request

from accounts.caller import caller
from accounts.identity import IdentityProof, confirm_identity, remembered_proof


def proof_sent(request: Request, password: str, otp: str) -> IdentityProof | None:
    """Given with the call, or a moment ago in the session."""
    http = request._request  # django-axes marks the request that its middleware sees
    if password or otp:
        return confirm_identity(http, actor=caller(request), password=password, otp=otp)
    return remembered_proof(http)
