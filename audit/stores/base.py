from typing import Protocol


class Store(Protocol):
    """Takes checkpoints, one by one and in order. `put` may be called again with the same one and must not mind.

    No method touches the database: a store may hang, and is then left behind in its thread.
    """

    @property
    def name(self) -> str:
        """Stable, and without a secret: it is shown and stored."""

    def put(self, number: int, line: str) -> None:
        """Keep this checkpoint. Raises OSError (or a subclass) where it couldn't."""

    def state(self) -> str:
        """In a few words: how well it keeps what it has."""
