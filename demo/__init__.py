"""Everything that stands for the outside world: the loopback fleet, its artefacts and the sample data."""
