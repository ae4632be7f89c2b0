"""What happens in a run, as it happens: stored first, pushed second."""
