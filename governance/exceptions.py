"""Errors of approvals and reviews::

GuardiaError
├── SelfApproval       403  one's own request
├── NotYourTurn        403  somebody else is asked; the message says who
├── SecondApproval     403  the same person already decided another step of this task
├── ViewerOnly         403  a viewer looks on; the membership's authority says so
├── AlreadyDecided     409  the step was decided; the message says by whom
├── DigestChanged      409  the plan shown to the approver isn't the one that waits
├── ReasonMissing      400  a rejection needs words
├── EvidenceMissing    409  work by hand is closed only with a file or a command log
├── OwnWork            403  the one who did the work doesn't accept it; the message says who can
├── NotEligible        403  the named person can't decide the step; the message says who could
├── AlreadyAsked       409  the requester hasn't answered the last question yet
├── NothingAsked       409  no question is open
└── NobodyToAsk        409  the policy asks for a role that nobody holds (but the requester)
"""

from django.utils.translation import gettext_lazy as _

from guardia.common.errors import InvalidInput, NotPermitted, StaleState


class SelfApproval(NotPermitted):
    code = "self_approval"
    default_message = _("Nobody approves their own request.")


class NotYourTurn(NotPermitted):
    code = "not_your_turn"


class SecondApproval(NotPermitted):
    code = "second_approval"
    default_message = _("You have already decided another step of this task. Each step needs another person.")


class ViewerOnly(NotPermitted):
    code = "viewer_only"
    default_message = _("You may look on, but not decide. An administrator can make you an approver.")


class AlreadyDecided(StaleState):
    code = "already_decided"


class DigestChanged(StaleState):
    code = "digest_changed"
    default_message = _("The plan has changed since you opened it. Look at the new one and decide again.")


class ReasonMissing(InvalidInput):
    code = "reason_missing"
    default_message = _("Please say why.")


class NotEligible(NotPermitted):
    code = "not_eligible"


class AlreadyAsked(StaleState):
    code = "already_asked"


class NothingAsked(StaleState):
    code = "nothing_asked"
    default_message = _("Nobody waits for an answer about this task.")


class NobodyToAsk(StaleState):
    code = "nobody_to_ask"


class EvidenceMissing(StaleState):
    code = "evidence_missing"


class OwnWork(NotPermitted):
    code = "own_work"
