"""The embedded mode: a real PostgreSQL of our own, and the supervisor of `up` (design §1, parts.md).

Nothing here imports Django: it runs before Django is configured, and in tiny helper processes.

* `postgres`   what callers use: `EmbeddedPostgres(home).ensure_running()` gives a `Lease`
* `guardian`   one helper process per home; parent of the server, stops it when its last user is gone
* `cluster`, `binaries`, `account`, `layout`   how the server is made, from what, as whom and where
* `processes`  `ProcessGroup`: the children of `up`, restarted when they die, stopped in order
* `leash`      one helper process per child: no grandchild survives it
* `locks`, `linux`, `ports`   small tools of the above
"""
