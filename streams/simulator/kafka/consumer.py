"""A consumer with the surface of `confluent_kafka.Consumer`, as far as `Source`, `Restore` and the tests use it."""

from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, OFFSET_INVALID, KafkaError, TopicPartition

from streams.simulator.kafka.errors import Refusal, error, failure
from streams.simulator.kafka.groups import Group, GroupMetadata, Member
from streams.simulator.kafka.host import Host, Request
from streams.simulator.kafka.log import PartitionLog
from streams.simulator.kafka.messages import Message, Place

Callback = Callable[[Any, list[TopicPartition]], None]

SESSION_TIMEOUT_MS = 45_000


class Cursor:
    """How far one partition has been read."""

    __slots__ = ("eof_at", "log", "next_offset", "read")

    def __init__(self, log: PartitionLog, offset: int) -> None:
        self.log = log
        self.next_offset = offset
        self.eof_at = -1
        self.read = False
        """Whether anything was given of it: only then it has a position."""


class Consumer:
    """Every call serves rebalances first, as librdkafka's `poll` and `consume` do."""

    def __init__(self, host: Host, config: dict[str, Any]) -> None:
        self._host = host
        self._broker = host.broker
        self._process = host.process
        self._group_name: str = config.get("group.id", "")
        self._committed_only = config.get("isolation.level", "read_committed") == "read_committed"
        self._tells_eof = bool(config.get("enable.partition.eof", False))
        self._session_timeout_s = config.get("session.timeout.ms", SESSION_TIMEOUT_MS) / 1000
        self._topics: tuple[str, ...] = ()
        self._callbacks: tuple[Callback, Callback, Callback] | None = None
        self._member_id = ""
        self._generation = -1
        self._assigned: list[TopicPartition] | None = None
        """What the group has given; None before an assignment and after its end."""
        self._cursors: dict[Place, Cursor] = {}
        self._closed = False

    # ---- the group

    def subscribe(self, topics: Sequence[str], on_assign: Callback, on_revoke: Callback, on_lost: Callback) -> None:
        """Take part in the group; the next poll joins."""
        self._topics, self._callbacks = tuple(topics), (on_assign, on_revoke, on_lost)

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read these partitions, each from its offset; OFFSET_BEGINNING is the first there is."""
        self._cursors = {
            (place := Place(tp.topic, tp.partition)): Cursor(self._broker.logs[place], max(0, tp.offset))
            for tp in partitions
            if tp.offset >= 0 or tp.offset == OFFSET_BEGINNING or self._unsupported(tp)
        }

    def unassign(self) -> None:
        """Read nothing."""
        self._cursors = {}

    def consumer_group_metadata(self) -> GroupMetadata:
        """Who this member is now; without member id before it has joined and after it was lost."""
        return GroupMetadata(self._group_name, self._member_id, self._generation)

    def committed(self, partitions: Sequence[TopicPartition], timeout: float = 5.0) -> list[TopicPartition]:
        """The group's offsets. Raises KafkaException after `timeout` if one is pending and this reads committed."""
        self._request(Request.COMMITTED)
        places = [Place(tp.topic, tp.partition) for tp in partitions]
        try:
            offsets = self._group.committed(places, stable=self._committed_only)
        except Refusal:
            self._host.spend(timeout)
            raise failure(KafkaError._TIMED_OUT, "Failed to get committed offsets: Local: Timed out") from None
        return [TopicPartition(*place, offset) for place, offset in zip(places, offsets, strict=True)]

    def close(self) -> None:
        """Leave the group."""
        if self._closed:
            return
        self._closed = True
        if self._member_id:
            self._give_up(1)
            self._group.leave(self._member_id)

    @property
    def _group(self) -> Group:
        return self._broker.group(self._group_name)

    def _serve_group(self) -> None:
        if self._callbacks is None:
            return
        group = self._group
        if self._member_id and not group.knows(self._member_id):
            self._member_id, self._generation = "", -1
            self._give_up(2)
            if not self._host.joins_at_once():
                return
        if not self._member_id:
            self._member_id = self._broker.new_member_id(self._host.name)
            self._join(group)
        elif group.wants_rejoin(self._member_id):
            self._give_up(1)
            self._join(group)
        if group.is_stable and self._member_id and self._generation != group.generation:
            self._generation = group.generation
            self._assigned = [TopicPartition(*place) for place in group.assignment(self._member_id)]
            self._callbacks[0](self, list(self._assigned))

    def _join(self, group: Group) -> None:
        process = self._process
        member = Member(self._member_id, self._topics, self._session_timeout_s, lambda: process.silent_since)
        group.join(member)

    def _give_up(self, callback: int) -> None:
        if self._assigned is not None and self._callbacks is not None:
            given, self._assigned = self._assigned, None
            self._callbacks[callback](self, given)

    # ---- records

    def poll(self, timeout: float | None = None) -> Message | None:
        """The next record or event; None where there is none, after `timeout`."""
        found = self.consume(1, timeout or 0.0)
        return found[0] if found else None

    def consume(self, num_messages: int, timeout: float) -> list[Message]:
        """At most so many records and events."""
        self._request(Request.FETCH)
        self._serve_group()
        found: list[Message] = []
        for place, cursor in self._host.arrange(list(self._cursors.items())):
            if cursor.eof_at == cursor.log.end:
                continue  # most partitions, most of the time: read to the end, and it has been told
            found += self._fetch(place, cursor, num_messages - len(found))
            if len(found) >= num_messages:
                break
        if not found:
            self._host.spend(timeout)
        return found

    def _fetch(self, place: Place, cursor: Cursor, limit: int) -> list[Message]:
        log = cursor.log
        bound = log.stable if self._committed_only else log.end
        found: list[Message] = []
        if cursor.next_offset < bound:
            found, cursor.next_offset = log.read(cursor.next_offset, limit, committed=self._committed_only)
            cursor.read = True
        if self._tells_eof and len(found) < limit and cursor.next_offset >= bound and cursor.eof_at != bound:
            cursor.eof_at = bound
            cursor.read = True
            found.append(Message(place, cursor.next_offset, failed=error(KafkaError._PARTITION_EOF)))
        return found

    def position(self, partitions: Sequence[TopicPartition]) -> list[TopicPartition]:
        """Where reading goes on; OFFSET_INVALID where nothing has been given yet."""
        return [TopicPartition(tp.topic, tp.partition, self._position(tp)) for tp in partitions]

    def _position(self, tp: TopicPartition) -> int:
        cursor = self._cursors.get(Place(tp.topic, tp.partition))
        return cursor.next_offset if cursor is not None and cursor.read else OFFSET_INVALID

    def get_watermark_offsets(
        self, partition: TopicPartition, timeout: float = 5.0, *, cached: bool = False
    ) -> tuple[int, int]:
        """The first offset and the last: the high watermark, or the last stable offset for one who reads committed."""
        log = self._broker.logs[Place(partition.topic, partition.partition)]
        return 0, log.stable if self._committed_only and not cached else log.end

    def _request(self, request: Request) -> None:
        self._host.before(request)
        self._broker.expire()

    def _unsupported(self, tp: TopicPartition) -> bool:
        raise NotImplementedError(f"{tp.topic}/{tp.partition} from {tp.offset}: give an offset, or OFFSET_BEGINNING")
