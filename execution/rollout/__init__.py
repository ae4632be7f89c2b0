"""A run on its way: start → drive (claims, host, record) → advance (waves, rollback) → finish. Rows are the truth."""
