"""How work runs: playbooks (what can be done) → plan (what will be done, frozen) → gate (may it happen now) →
rollout (waves, host runs, recovery) → steps (pure) → ssh (the connector); live (events as they happen)."""
