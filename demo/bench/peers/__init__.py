"""Speed beside the peers: the same work by each tool on the same loopback hosts, in alternation."""
