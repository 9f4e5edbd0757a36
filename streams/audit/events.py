"""Every event that a decision told is there once, and no other is: journal entries count them, and their ids say whose
they are."""

from collections.abc import Container, Iterator

from streams.audit.evidence import Event, Place, Row
from streams.audit.findings import Finding, Kind

MOST_EVENTS = 1_000_000
"""Of one decision; a batch of some thousand people tells one for each."""

ENDLESS = -1
"""All numbers, without end."""


class Events:
    """Takes the journal's entries first, then the events, then tells what is missing.

    An id is a decision's id and the event's number in it; after a refusal, `refused` and the number, but for the first.
    An entry that was written before entries counted their events says `None`: its numbers must have no gap, and only
    the loss of its last events cannot be seen.
    """

    def __init__(self) -> None:
        self._awaited: dict[str, int] = {}
        """By what their ids begin with: a bit for each number that has not come. Small numbers take no memory."""
        self._notices: set[str] = set()
        self._replayable: set[str] = set()

    def await_of(self, entry: Row) -> Iterator[Finding]:
        """Take one journal entry."""
        decision_id, count = entry["decision_id"], entry["events"]
        if count is not None and not 0 <= count <= MOST_EVENTS:
            yield Finding(Kind.ILLEGAL_ENTRY, decision_id, f"0 to {MOST_EVENTS} events", str(count))
        elif count != 0:
            begin = f"{decision_id}/refused" if entry["outcome"] == "refused" else decision_id
            self._awaited[begin] = ENDLESS if count is None else (1 << count) - 1

    def meet(self, event: Event, buried: Container[Place]) -> Iterator[Finding]:
        """Take one event. What stands in one of the `buried` places has no effect, and may be told again: replayed."""
        if event.key is None:
            yield from self._meet_notice(event)
            return
        event_id = event.event_id
        begin, number = _parts(event_id)
        awaited, bit = self._awaited.get(begin, 0), 1 << number
        if awaited & bit:
            self._awaited[begin] = awaited & ~bit
            if event.place in buried:
                self._replayable.add(event_id)
        elif event_id in self._replayable or event.place in buried:
            self._replayable.discard(event_id)
        else:
            expected = "an event that a journal entry counts, once"
            yield Finding(Kind.EVENT_UNCOUNTED, str(event.place), expected, event_id)

    def _meet_notice(self, event: Event) -> Iterator[Finding]:
        """What is true of a whole partition has no entry, and no key; its id names the partition."""
        speaker = event.event_id.partition("/")[0]
        if not speaker.endswith(f":{event.place.partition.number}") or event.event_id in self._notices:
            expected = "a notice of its own partition, once"
            yield Finding(Kind.EVENT_UNCOUNTED, str(event.place), expected, event.event_id)
        self._notices.add(event.event_id)

    def missing(self) -> Iterator[Finding]:
        """What has not come at the end."""
        for begin, awaited in self._awaited.items():
            if awaited < 0:
                told = ~awaited  # a bit for each number that has come
                awaited = ((1 << told.bit_length()) - 1) & ~told
            if awaited:
                first = (awaited & -awaited).bit_length() - 1
                found = f"{awaited.bit_count()} not there, the first number {first}"
                yield Finding(Kind.EVENT_MISSING, begin, "every event that it tells", found)


def _parts(event_id: str) -> tuple[str, int]:
    """What an id begins with, and its number; of no decision where it ends in no number."""
    if event_id.endswith("/refused"):
        return event_id, 0
    begin, _, number = event_id.rpartition("/")
    if not (number.isascii() and number.isdecimal()) or len(number) > len(str(MOST_EVENTS)):
        return "", 0
    return begin, int(number)
