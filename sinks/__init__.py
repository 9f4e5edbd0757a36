"""Sinks: what leaves Kafka. A pure `render` beside one small effect, each file written exactly once (PIPE-08, BEY-02).

    poll → one Postgres transaction: move the position, give numbers, make the bytes,     → put the bytes into the
           write source rows, manifest rows and the bytes themselves to `sink.outgoing`      blob storage → forget them

Killed at any step and started again, the same files appear once:

- before the commit nothing has happened: the same records are read again and get the same numbers;
- after the commit the bytes are in `sink.outgoing`, and are put under the same name until the storage has them;
- a put can be repeated, since the bytes of a name never change.

A worker that was thought dead cannot harm: positions are read from Postgres at assignment, and a transaction that does
not find the position where it left it is refused by the database (`positions.Stale`).
"""
