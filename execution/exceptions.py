"""Errors of the engine::

GuardiaError
├── NoPlaybook       409  no published playbook for this kind of work
├── PlaybookInvalid  400  the YAML isn't a playbook; says where
├── PlanRefused      409  a plan can't be made (no server, no artefact, no host key, unknown variable)
├── GateClosed       409  the gate let nothing through; `code` says which check
│   ├── NotNow       409  outside the change window, frozen, or approved for later
│   └── Halted       409  the kill switch is pressed
├── ClaimLost        409  another worker holds this host run now
└── StepFailed       500  a step's expectation wasn't met on the host
ssh errors: see `execution.ssh.exceptions`
"""

from django.utils.translation import gettext_lazy as _

from governance.selectors_windows import Hold
from guardia.common.errors import GuardiaError, InvalidInput, StaleState


class NoPlaybook(StaleState):
    code = "no_playbook"
    default_message = _("There is no playbook for this kind of work yet; people must do it by hand.")


class PlaybookInvalid(InvalidInput):
    code = "playbook_invalid"


class PlanRefused(StaleState):
    code = "plan_refused"


class GateClosed(StaleState):
    code = "gate_closed"


class NotNow(GateClosed):
    """The hours are closed; `hold` says why and until when."""

    def __init__(self, hold: Hold) -> None:
        super().__init__(str(hold), code=f"held_{hold.kind.lower()}")
        self.hold = hold


class Halted(GateClosed):
    """The kill switch covers this; nothing new begins."""

    code = "halted"
    default_message = _("The kill switch is pressed.")


class ClaimLost(StaleState):
    code = "claim_lost"


class StepFailed(GuardiaError):
    code = "step_failed"
    http_status = 500
