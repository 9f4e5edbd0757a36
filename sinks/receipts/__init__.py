"""Receipts of purchases, by e-mail (PRI-13).

    PurchaseAuthorised with `receipt_to` → the message, in `sink.receipt` with the position → SMTP → its text forgotten

At least once, as SMTP has it: between the server's "250" and our commit a crash is possible, and the receipt then goes
out again. It has the same Message-ID, which follows from the event's id, and the same bytes, so that a mailbox can know
it for a repetition.
"""
