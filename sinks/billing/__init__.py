"""The external Billing: what dealers' books ask of it, carried out over HTTP, and what it answers (DLR-01 .. DLR-05).

    call in Kafka → `sink.billing_call`, with the position → ask what became of it, then send → answer, in one
    transaction, which forgets what the call said → Kafka

A dealer's book decides and never calls out (ADR 7). This worker knows of a call only whether it was asked and answered,
and sends nothing before it has asked (ADR 6). Calls of one account go out one after another, in the order in which they
were written; those of other accounts go out beside them.
"""
