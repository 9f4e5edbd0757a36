"""The auditor: proves on demand that journal, tables, projections and inputs tell the same story (PIPE-09, XFR-07).

It shares no code with the ledger: it reads topics and Postgres, decodes with `schemas`, and folds the journal in a way
of its own. What it finds are values (`findings.Finding`); nothing is repaired.

    kafka.py, postgres.py    read what there is, up to where it ended when the audit began
    evidence.py              what the examination asks for; a test answers from memory
    examine.py               the examination, step by step
    books.py, lots.py        the auditor's own double entry
    homes.py                 on which partition a book is, and where it was before there were more
    outcomes.py              every upstream record has one outcome
    letters.py               every dead letter holds its record
    events.py                every event that a decision told, once
    compare.py               tables and projections against the fold
    statements.py            statement lines against the fold

The audit is meaningful on a quiet system: records that arrive while it reads are outside its snapshot. It says so
(`not_quiet`) where something it read from grew meanwhile, and names inputs that nobody has worked on yet
(`unprocessed`).
"""
