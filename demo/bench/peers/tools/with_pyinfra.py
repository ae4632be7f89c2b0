"""pyinfra by its API: shell operations and its upload. Patched by gevent first, as its own program is."""

from gevent import monkey

monkey.patch_all()

import logging  # noqa: E402 - after what must come first

from pyinfra.api import Config, Inventory, State  # noqa: E402 - after what must come first
from pyinfra.api.connect import connect_all  # noqa: E402 - after what must come first
from pyinfra.api.operation import add_op  # noqa: E402 - after what must come first
from pyinfra.api.operations import run_ops  # noqa: E402 - after what must come first
from pyinfra.context import ctx_state  # noqa: E402 - after what must come first
from pyinfra.operations import files, server  # noqa: E402 - after what must come first

from demo.bench.peers.tools.pyinfra_data import data_of  # noqa: E402 - after what must come first
from demo.bench.peers.tools.work import AT_ONCE, Job, tell  # noqa: E402 - after what must come first

logging.disable(logging.INFO)


def run(job: Job) -> int:
    inventory = Inventory(([(host.name, data_of(host)) for host in job.hosts], {}))
    state = State(inventory, Config(PARALLEL=AT_ONCE, CONNECT_TIMEOUT=60))
    by_name = {host.name: host for host in job.hosts}
    with ctx_state.use(state):
        connect_all(state)
        for number, first in enumerate(job.steps(job.hosts[0])):
            for target in inventory:
                host = by_name[target.name]
                if first:
                    add_op(state, server.shell, commands=[job.steps(host)[number]], host=target)
                else:
                    add_op(state, files.put, src=job.artefact, dest=job.incoming(host), host=target)
        run_ops(state)
    return sum(not state.results[target].error_ops for target in state.activated_hosts)


tell(run)
