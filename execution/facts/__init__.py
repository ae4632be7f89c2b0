"""What a host is like: asked by one command that changes nothing, parsed and compared. Pure, like `execution.steps`."""
