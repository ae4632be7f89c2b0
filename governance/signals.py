"""What governance tells the floors above, after commit. A sweep above finds the same tasks without the signal."""

from django.dispatch import Signal

#: All steps of a task were approved. Sent with `task_pk`.
task_approved = Signal()

#: Somebody has taken a task into their own hands. Sent with `task_pk`.
task_taken_over = Signal()
