"""Errors of accounts::

GuardiaError
├── ProofMissing    403  the act needs a password or one-time code given just now; the message says what to send
├── ProofWrong      403  the password or code given again is not right
├── LockedOut       429  too many failures from here for this name
├── RateExceeded    429  too many requests in a short time; the message says when to go on
├── DirectoryAway   503  the institution's directory can't be asked who this is
├── WeakPassword    400  the password breaks the policy; the message says which rules
├── OutsideBastion  403  not from this address; the message names the networks that are allowed
├── CodeWrong       400  the first code of a new app is not right
├── FactorRequired  409  the role needs the second factor: it can't be taken away
└── FactorState     409  already enrolled, or nothing to confirm
"""

from typing import Any

from django.utils.translation import gettext_lazy as _

from guardia.common.errors import GuardiaError, InvalidInput, NotPermitted, StaleState, Unavailable


class ProofMissing(NotPermitted):
    code = "proof_missing"
    default_message = _(
        "Work of high risk needs your password or a one-time code with the decision: send it as `password` or `otp`."
    )


class ProofWrong(NotPermitted):
    code = "proof_wrong"
    default_message = _("The password or code is not right.")


class LockedOut(GuardiaError):
    code = "locked_out"
    http_status = 429
    default_message = _("Too many failed attempts. Try again in %(minutes)s minutes.")


class RateExceeded(GuardiaError):
    code = "throttled"
    http_status = 429
    default_message = _("Too many requests in a short time. You can go on in %(seconds)s seconds.")


class DirectoryAway(Unavailable):
    code = "directory_away"
    default_message = _("The directory can't be reached now. Try again later; accounts that are not in it can log in.")


class WeakPassword(InvalidInput):
    code = "weak_password"


class CodeWrong(InvalidInput):
    code = "code_wrong"
    default_message = _("The code is not right. Check the clock of the phone and type the newest code.")


class FactorRequired(StaleState):
    code = "factor_required"
    default_message = _("Your role needs the one-time password: it can't be switched off.")


class FactorState(StaleState):
    code = "factor_state"


class OutsideBastion(NotPermitted):
    """`actor` (User), `institution` (or None: all) and `labels` are for the entry; people read the message."""

    code = "outside_bastion"

    def __init__(self, message: str, *, actor: Any, institution: Any, labels: str) -> None:
        super().__init__(message)
        self.actor, self.institution, self.labels = actor, institution, labels
