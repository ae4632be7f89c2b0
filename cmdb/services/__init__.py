"""Writes of the CMDB: one file per verb."""
