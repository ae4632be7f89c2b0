"""Writes of the chain. Other apps call `record` and `record_many`."""

from audit.services.record import Draft, record, record_across, record_many

__all__ = ["Draft", "record", "record_across", "record_many"]
