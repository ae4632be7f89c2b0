"""Where checkpoints lie outside the database. Each store is one small class, made from the settings."""

from audit.stores.base import Store
from audit.stores.configured import configured, directory

__all__ = ["Store", "configured", "directory"]
