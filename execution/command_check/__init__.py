"""The command check: what a command line would do, judged on the exact bytes before anything runs them.

Read in this order: `verdict` (the answers), `check` (the door), `text` (the bytes), `shell` (the syntax tree),
`words` (what a word becomes), `verbs` (what a program's options mean), the `do_…` files (programs that need more
than a table), `paths` (where it reads and writes), `sql` (statements). ADR 0016 tells why it is built so.
"""
