"""What can be done: YAML that composes steps, checked when it is published and immutable from then on."""
