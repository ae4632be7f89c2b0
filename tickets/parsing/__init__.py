"""Korean maintenance requests become structured fields: deterministic rules, no models, no I/O (design section 2)."""
