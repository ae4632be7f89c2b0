"""What can go wrong with the proof itself::

GuardiaError
├── InvalidInput
│   ├── ReasonNeeded       an export, a proof, a report or an acceptance needs a reason
│   └── ReportTooLong      more rows than the format can carry sensibly
├── NotPermitted
│   └── SecondPersonNeeded  who proposed an acceptance doesn't decide it
├── StaleState
│   └── ForeignEntryRefused  an entry handed over by a gateway isn't the next sound one of its chain
└── Unavailable
    ├── ReportFileMissing  a report's file isn't there, or isn't what was recorded
    ├── SealKeyMissing     the private key of the checkpoints isn't on this machine
    └── StoreFailed        a store outside the database didn't take a checkpoint
"""

from django.utils.translation import gettext_lazy as _

from guardia.common.errors import InvalidInput, NotPermitted, StaleState, Unavailable


class ReasonNeeded(InvalidInput):
    code = "reason_missing"
    default_message = _("Give a reason.")


class ReportTooLong(InvalidInput):
    code = "report_too_long"
    default_message = _("The report would have too many rows. Order it for a shorter period.")


class SecondPersonNeeded(NotPermitted):
    code = "second_person"
    default_message = _("Another security officer or administrator decides this.")


class ForeignEntryRefused(StaleState):
    code = "entry_refused"
    default_message = _("The entry doesn't follow the one before it.")


class ReportFileMissing(Unavailable):
    code = "report_file_missing"
    default_message = _("The file is not what was recorded, or not there any more. Order the report again.")


class SealKeyMissing(Unavailable):
    code = "seal_key_missing"
    default_message = _("The key that signs checkpoints is not on this machine.")


class StoreFailed(Unavailable):
    code = "store_failed"
    default_message = _("A checkpoint store did not answer.")
