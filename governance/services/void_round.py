from governance.choices import RoundStatus, StepStatus
from governance.selectors import living_round
from tickets.models import OpsTask


def void_round(task: OpsTask) -> None:
    """End the living round of a locked task: what it approved isn't what would run. Its decisions stay as they are."""
    round_ = living_round(task)
    if round_ is None:
        return
    if round_.status == RoundStatus.OPEN:
        for step in round_.steps.filter(status__in=[StepStatus.WAITING, StepStatus.PENDING]):
            step.void()
            step.save()
    round_.void()
    round_.save()
