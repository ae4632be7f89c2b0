"""Errors of intake and of the life of a task::

GuardiaError
├── EmptyRequest        400  no text
├── UnknownServer       400  a named server that isn't there, or not for this user
├── UnknownSystem       400  a named system that isn't there
├── NotYourSystem       403  the text asks for a system outside the user's institutions
├── QuotaExceeded       429  more requests, or bytes of files, than one user or institution may have
├── ArtefactTooLarge    413  over GUARDIA_ARTEFACT_LIMIT
└── NotInThatState      409  the task's state doesn't allow it any more
"""

from django.utils.translation import gettext_lazy as _

from guardia.common.errors import InvalidInput, NotPermitted, StaleState


class EmptyRequest(InvalidInput):
    code = "empty_request"
    default_message = _("Please write what should be done.")


class UnknownServer(InvalidInput):
    code = "unknown_server"


class UnknownSystem(InvalidInput):
    code = "unknown_system"


class NotYourSystem(NotPermitted):
    code = "not_your_system"
    default_message = _("The request names a system outside your institutions. Its own site managers can file it.")


class QuotaExceeded(InvalidInput):
    code = "quota"
    http_status = 429


class ArtefactTooLarge(InvalidInput):
    code = "artefact_too_large"
    http_status = 413


class NotInThatState(StaleState):
    code = "not_in_that_state"
