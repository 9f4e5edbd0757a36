"""A dead letter holds the record that it buries: its key and its value, cut only where they do not fit (PIPE-04)."""

from collections.abc import Iterator

from streams.audit.evidence import Letter, Place, Record
from streams.audit.findings import Finding, Kind

KEY_BYTES, VALUE_BYTES = 32_000, 900_000
"""The most that a letter holds of a key and of a value."""


class Letters:
    """Takes the dead letters first, then the records. Of each letter a number for key and value each is kept."""

    def __init__(self) -> None:
        self._held: dict[Place, tuple[int, int]] = {}

    def __contains__(self, place: object) -> bool:
        """Whether the record at a place was buried."""
        return place in self._held

    def bury(self, letter: Letter) -> None:
        """Take one dead letter."""
        self._held[letter.buried] = _number(letter.key, letter.key_bytes), _number(letter.value, letter.value_bytes)

    def meet(self, record: Record) -> Iterator[Finding]:
        """Take one record."""
        held = self._held.get(record.place)
        if held is None:
            return
        for name, kept, whole, most in (
            ("key", held[0], record.key, KEY_BYTES),
            ("value", held[1], record.value, VALUE_BYTES),
        ):
            if kept != _number(whole and whole[:most], len(whole or b"")):
                yield Finding(
                    Kind.LETTER_DIFFERS, str(record.place), f"the record's {name} in its dead letter", "another"
                )


def _number(kept: bytes | None, whole_bytes: int) -> int:
    return hash((kept, whole_bytes))
