"""The SSH connector: the only place of the product that imports paramiko.

`connect()` gives a `Connection` to one host; all steps of a host run share it. Every operation has one monotonic
deadline in seconds and honours the cancel event; unknown or changed host keys are refused before a credential is sent.
`quoting`, `target`, `result` and `exceptions` are pure and may be used by the planner.
"""
