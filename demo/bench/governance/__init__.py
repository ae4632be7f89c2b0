"""Governance at the size of a ministry: a million tasks, three million approval steps, five hundred approvers."""
