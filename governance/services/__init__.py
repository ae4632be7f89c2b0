"""Writes of governance: one file per verb."""
