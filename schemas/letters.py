"""What becomes of dead letters (PIPE-04)."""

from schemas.fields import Fact, Identifier, Text, UtcMicros


class LetterReplayed(Fact, frozen=True, kw_only=True):
    """A dead letter's record was published again, in the transaction that wrote this."""

    letter_id: Identifier
    """Where the letter lies: `partition:offset` of the dead-letter topic."""
    topic: Text
    """Where the record was published."""
    replayed_at: UtcMicros
