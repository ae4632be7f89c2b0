"""The kill switch: who may press it (`who`), pressing (`press`), lifting (`lift`), and what a user may see of it.

It is a row. Workers watch for it themselves (`execution.rollout.watch`), the gate asks for it before every connection
and every step (`execution.gate.halts`), and runs are stopped by whoever comes by (`execution.rollout.stop_run`).
"""
