"""News for the floors above. Sent on commit.

`checkpoint_made`: number. `integrity_broken`: hold (audit.models.IntegrityHold). `witness_failing`: witness.
"""

from django.dispatch import Signal

checkpoint_made = Signal()
integrity_broken = Signal()
witness_failing = Signal()
