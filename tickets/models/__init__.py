from tickets.models.artefact import Artefact
from tickets.models.ops_task import OpsTask, TaskNumber

__all__ = ["Artefact", "OpsTask", "TaskNumber"]
