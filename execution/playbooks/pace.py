"""The pace of a rollout as a playbook says it: "1", "50%", "100%"."""

from collections.abc import Sequence


def parse_batches(batches: Sequence[str]) -> list[tuple[int, bool]]:
    """(number, is percent) of each batch. Raises ValueError for what isn't a positive number or share."""
    parsed = []
    for batch in batches:
        is_share = batch.endswith("%")
        number = batch.removesuffix("%")
        if not number.isascii() or not number.isdigit() or not 1 <= int(number) <= (100 if is_share else 100_000):
            raise ValueError(f"“{batch}” is neither a number of hosts nor a share")
        parsed.append((int(number), is_share))
    if not parsed:
        raise ValueError("a pace has at least one batch")
    return parsed
