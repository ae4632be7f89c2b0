"""The heap of a process that lives long: what was loaded at its start is never garbage."""

import gc


def settle() -> None:
    """Take all that is there out of the collector's sight, once everything is loaded and before the process forks.

    A worker spent a seventh of its time on looking through Django's modules again and again, and wrote by that to the
    pages that its forks share.
    """
    gc.collect()
    gc.freeze()
