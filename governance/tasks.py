"""What the clock asks for (`guardia.schedules`)."""

from governance.services import check_authority as checking
from governance.services import escalate as escalating


def escalate_due_steps() -> None:
    escalating.escalate_due_steps()


def check_authority() -> None:
    checking.check_authority()
