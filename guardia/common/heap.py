"""The heap of a process that lives long: what was loaded at its start is never garbage."""

import gc

#: Young objects before they are looked at; Python's own 700 suits a script.
_YOUNG = 5_000


def settle() -> None:
    """Take all that is there out of the collector's sight, once everything is loaded and before the process forks.

    A worker spent a seventh of its time on looking through Django's modules again and again, and the pages that its
    forks share were written to by that.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)
