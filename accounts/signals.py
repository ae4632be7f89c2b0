"""News of this floor. `account_changed` is sent inside the transaction of the change: whoever handles it (the chain
does) is part of it, and a failure undoes both."""

from django.dispatch import Signal

#: sender: User; kwargs: user (whose account), actor, action ("totp.enrolled"), facts (dict of canonical JSON values)
account_changed = Signal()
#: sender: User; kwargs: actor, institution (None: all). Sent before an act of rank on the floors below governance,
#: which answers by raising where it may not be done from the caller's network; the act is undone then.
acting_by_rank = Signal()
#: sender: User; kwargs: actor (User, or text as in accounts.rates), rate ("FORMS"), limit; once per caller and hour
rate_exceeded = Signal()
#: sender: User; kwargs: session (the new UserSession), others (how many other live ones)
logged_in_elsewhere = Signal()
