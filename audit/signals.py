"""News for the floors above. Sent on commit.

`integrity_broken`: hold (audit.models.IntegrityHold). `witness_failing`: witness.
"""

from django.dispatch import Signal

integrity_broken = Signal()
witness_failing = Signal()
