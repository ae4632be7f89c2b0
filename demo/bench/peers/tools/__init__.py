"""Programs that are run one by one, in the peers' virtual environment or our own: each reads a job, does it, tells."""
