"""The sink that keeps what dealers' books ask of Billing, until it is carried out (DLR-01, DLR-03, DLR-05)."""

from collections.abc import Iterable, Iterator, Sequence

from schemas.codec import Undecodable
from schemas.envelope import InvalidEnvelope, read_envelope
from schemas.topics import BILLING_CALLS, Topic
from sinks.billing import tables
from sinks.billing.call import State
from sinks.billing.content import Wanted, content, digest
from sinks.database import Connection, Cursor
from sinks.manifest import Kind, Row
from sinks.parked import Parked, parked_places
from sinks.sink import Applied, Arrived

NAME = "billing"
OTHER_CONTENT = "other_content"


class OtherContent(ValueError):
    """Two calls have one id, and want different things. It repeats neither."""


class BillingSink:
    """See `sinks.sink.Sink`. It makes no files: what it keeps waits in `sink.billing_call` for `carrier`."""

    name = NAME
    kinds: Sequence[Kind] = ()

    def __init__(self, topic: Topic = BILLING_CALLS) -> None:
        self.topic = topic

    def apply(self, cursor: Cursor, records: Sequence[Arrived]) -> Applied:
        """Keep each call; one that comes again is the same call, and one that is parked is tried again."""
        parked: list[Parked] = []
        for each in records:
            try:
                if isinstance(each.message, Undecodable):
                    raise each.message
                self._keep(cursor, each, each.message)  # type: ignore[arg-type]
            except Undecodable as error:
                parked.append(self._parked(each, error.reason, str(error)))
            except InvalidEnvelope as error:
                parked.append(self._parked(each, "no_event_id", str(error)))
            except OtherContent as error:
                parked.append(self._parked(each, OTHER_CONTENT, str(error)))
        return Applied((), parked)

    def _keep(self, cursor: Cursor, at: Arrived, wanted: Wanted) -> None:
        place = at.partition, at.offset
        before = tables.keep(cursor, self.topic.name, place, wanted, content(wanted), read_envelope(at.headers))
        if before is None:
            return
        if before.sha256 != digest(wanted):
            raise OtherContent(f"{wanted.call_id} was asked before, and wants something else now")
        if before.state is State.PARKED and (before.partition, before.record_offset) == place:
            tables.take_up(cursor, wanted.call_id)

    def _parked(self, each: Arrived, reason: str, problem: str) -> Parked:
        return Parked(self.name, self.topic.name, each.partition, each.offset, "", reason, problem)

    # ---- verify

    def remake(self, connection: Connection, row: Row) -> bytes | None:
        """There are no files."""
        return None

    def differences(self, connection: Connection, records: Iterable[Arrived]) -> Iterator[str]:
        """Every call in Kafka has one row, that of its first record, or is parked; no other row exists."""
        rows = connection.execute(
            "select call_id, partition, record_offset, sha256 from sink.billing_call where topic = %s",
            (self.topic.name,),
        )
        kept = {row[0]: row[1:] for row in rows}
        parked = parked_places(connection, self.name, self.topic.name)
        explained: set[str] = set()
        for each in records:
            place = f"{self.topic.name}/{each.partition}@{each.offset}"
            if isinstance(each.message, Undecodable):
                if (each.partition, each.offset) not in parked:
                    yield f"{place}: is no call, and is not parked"
                continue
            wanted: Wanted = each.message  # type: ignore[assignment]
            partition, offset, sha256 = kept.get(wanted.call_id, (None, None, None))
            if (partition, offset) == (each.partition, each.offset):
                explained.add(wanted.call_id)
            elif (each.partition, each.offset) in parked:
                continue
            if sha256 is None:
                yield f"{place}: call {wanted.call_id} was not kept, and is not parked"
            elif sha256 != digest(wanted):
                yield f"{place}: call {wanted.call_id} is not kept as the record says it"
        for call_id in sorted(kept.keys() - explained):
            yield f"call {call_id} belongs to no record"
        for call_id in tables.altered(connection):
            yield f"call {call_id} waits, and says something else than it was kept with"
