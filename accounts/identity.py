"""Showing again who one is, before an act of consequence: the proof holds five minutes, for its user only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

from accounts.choices import ProofMethod
from accounts.exceptions import ProofWrong
from accounts.lockout import count_failure, forget_failures, is_locked_out, locked_out
from accounts.models import User
from accounts.services.second_factor import is_code_right
from guardia.common.clock import now

PROOF_MINUTES = 5
_SESSION_KEY = "guardia_proof"


@dataclass(frozen=True, slots=True)
class IdentityProof:
    """Made by `confirm_identity`; services ask `holds_for`."""

    user_pk: int
    method: ProofMethod
    proved_at: datetime

    def holds_for(self, user: User) -> bool:
        return self.user_pk == user.pk and timedelta() <= now() - self.proved_at <= timedelta(minutes=PROOF_MINUTES)


def confirm_identity(request: HttpRequest, *, actor: User, password: str = "", otp: str = "") -> IdentityProof:
    """Check the password or the one-time code. Failures count like those of the log-in.

    Raises ProofWrong, or LockedOut after too many failures.
    """
    name = actor.get_username()
    if is_locked_out(request, name):
        raise locked_out()
    if otp:
        is_right, method = is_code_right(actor, otp), ProofMethod.OTP
        if not is_right:
            count_failure(request, name)
    else:
        found = authenticate(request, username=name, password=password)  # counts its failures itself
        is_right, method = found is not None and found.pk == actor.pk, ProofMethod.PASSWORD
    if not is_right:
        raise locked_out() if is_locked_out(request, name) else ProofWrong()
    forget_failures(request, name)
    return IdentityProof(actor.pk, method, now())


def remember_proof(request: HttpRequest, proof: IdentityProof) -> None:
    """Keep the proof in the session, so that the next acts of these minutes don't ask again."""
    request.session[_SESSION_KEY] = [proof.user_pk, proof.method.value, proof.proved_at.isoformat()]


def remembered_proof(request: HttpRequest) -> IdentityProof | None:
    """The session's proof while it holds for the session's user."""
    kept = request.session.get(_SESSION_KEY)
    if not kept or not isinstance(request.user, User):
        return None
    proved_at = parse_datetime(kept[2])
    proof = IdentityProof(kept[0], ProofMethod(kept[1]), proved_at) if proved_at else None
    return proof if proof and proof.holds_for(request.user) else None
