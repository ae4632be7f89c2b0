from tickets.models.artefact import Artefact
from tickets.models.ops_task import OpsTask, TaskNumber
from tickets.models.words import Bigrams

__all__ = ["Artefact", "Bigrams", "OpsTask", "TaskNumber"]
