"""The parts of the API that join apps: its routes, its errors, and a task's whole history."""
