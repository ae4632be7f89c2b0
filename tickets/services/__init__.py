"""Writes of tickets: one file per verb."""
