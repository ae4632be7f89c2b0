"""News for the floors above. Sent on commit.

`integrity_broken`: hold (audit.models.IntegrityHold). `witness_failing`: witness.
`report_settled`: report, which is ready or failed.
"""

from django.dispatch import Signal

integrity_broken = Signal()
witness_failing = Signal()
report_settled = Signal()
