"""Sites that the core can't reach: a gateway beside them comes for signed work and hands back what became of it.

The core's rooms: `keeping` (acts of people) · `door` (who knocks) · `enrol` · `giving` (orders) · `taking` (parcels).
The gateway's: `remote` (the way to the core) · `joining` · `work` (what it took) · `spool` · `courier` · `away`.
Both: `home` (keys) · `messages` (what is signed). ADR 0022 says why, docs/gateways.md what goes over the line.
"""
