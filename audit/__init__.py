"""The tamper-evident chain. Other apps call `audit.services.record`."""
