"""What can go wrong with the fleet. It isn't part of the product, so it has a root of its own."""


class FleetError(RuntimeError):
    """The fleet can't be started or stopped; the message says why, in words for the terminal."""


class PortTaken(FleetError):
    """Another program listens where a host of the fleet should."""
