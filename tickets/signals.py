"""What tickets tells the floors above, after commit. A sweep above finds the same tasks without the signal."""

from django.dispatch import Signal

#: A task is complete enough to be planned. Sent with `task_pk`.
task_parsed = Signal()
