"""What a report is made of, and how it becomes a file.

`document` says what every report is (facts, tables of columns and streamed rows, a place to sign); `verification`,
`access_review` and `activity` each make one out of the chain; `pdf`, `xlsx` and `jsonl` write any of them. None of
them holds more than a page of rows. `audit.services.make_report` is their one user.
"""
