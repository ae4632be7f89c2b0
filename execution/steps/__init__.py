"""Steps: small values that name a state and how to reach it, tell it and undo it. Pure: neither Django nor paramiko.

`library` maps the names that playbooks use to the functions that make steps; `ops` are what steps are made of.
"""
