"""What will be done: a task and a playbook become a frozen document; its SHA-256 is what people approve."""
