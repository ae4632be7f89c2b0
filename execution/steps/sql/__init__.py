"""Steps on databases: looking, cleaning, seeding, checking. Pure: they yield `sql` operations, which the gate does.

`names` and `judge` say what may be asked for; `client` how a database is reached from its host; one file per dialect
writes the same few sentences in its own words; `looking`, `cleaning` and `seeding` compose them. ADR 0019 says why.
"""
