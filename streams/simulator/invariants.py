"""What must hold of every run, whatever has happened in it. Each check tells differences as sentences."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from schemas.topics import DECIDED, JOURNAL, PARTITIONS
from streams.audit.wire import Wire
from streams.simulator.app import Table
from streams.simulator.evidence import audit, visible
from streams.simulator.kafka.broker import Broker
from streams.simulator.kafka.messages import Place
from streams.simulator.worker import Worker


class Unsound(AssertionError):
    """Books in a worker's memory that are wrong in themselves."""


def check_books(balances: Table, partitions: Iterable[int]) -> None:
    """After a commit: debits are credits, and nothing is locked that is not there. Raises `Unsound`."""
    for partition in partitions:
        sums: Counter[str] = Counter()
        for key, row in balances.peek(partition).items():
            currency = key.rpartition("|")[2]
            sums[f"posted {currency}"] += row.debits_posted - row.credits_posted
            sums[f"pending {currency}"] += row.debits_pending - row.credits_pending
            if row.lots and (row.locked > row.posted or sum(lot.amount_minor for lot in row.lots) != row.posted):
                raise Unsound(f"{key}: {row.locked} locked of {row.posted} posted in {row.lots}")
        if any(sums.values()):
            raise Unsound(f"partition {partition}: debits and credits differ: {dict(sums)}")


def differences(broker: Broker, workers: Iterable[Worker], wire: Wire) -> Iterator[str]:
    """Everything that is wrong at the end of a run; nothing if all is right."""
    for finding in audit(broker, wire).findings.kept:
        yield f"{finding.kind}: {finding.where}: expected {finding.expected}, found {finding.found}"
    for worker in workers:
        yield from _memory(broker, worker)
    yield from _repetitions(broker, wire)


def _memory(broker: Broker, worker: Worker) -> Iterator[str]:
    """Tables in memory are what a successor would restore."""
    for table in worker.tables:
        for partition in worker.partitions:
            stored: dict[str, bytes] = {}
            for record in visible(broker, Place(table.changelog_topic_name, partition)):
                key = (record.key() or b"").decode()
                value = record.value()
                if value is None:
                    stored.pop(key, None)
                else:
                    stored[key] = value
            held = {key: table.encoded(row) for key, row in table.peek(partition).items()}
            for key in sorted(stored.keys() | held.keys()):
                if stored.get(key) != held.get(key):
                    found = f"the changelog has {stored.get(key)!r}, the worker {held.get(key)!r}"
                    yield f"memory_differs: {table.name}/{partition} {key}: {found}"


def _repetitions(broker: Broker, wire: Wire) -> Iterator[str]:
    """A message sent again has its first outcome, and no other (PIPE-05)."""
    entries = {}
    for partition in range(PARTITIONS):
        for record in visible(broker, Place(JOURNAL.name, partition)):
            fields = wire.fields(JOURNAL.messages[0], record.value())
            if not isinstance(fields, Mapping):
                continue
            entries[fields["cause_topic"], fields["cause_partition"], fields["cause_offset"]] = fields
    for topic in DECIDED:
        for partition in range(PARTITIONS):
            yield from _repeated(topic.name, partition, broker, entries)


def _repeated(topic: str, partition: int, broker: Broker, entries: Mapping[Any, Any]) -> Iterator[str]:
    first: dict[tuple[str, str, str], tuple[bytes | None, str]] = {}
    for record in visible(broker, Place(topic, partition)):
        entry = entries.get((topic, partition, record.offset()))
        if entry is None:
            continue
        source = next(value for name, value in record.headers() or () if name == "ce_source")
        message = (entry["book"], (source or b"").decode(), entry["cause_id"])
        value, decision_id = first.setdefault(message, (record.value(), entry["decision_id"]))
        if decision_id == entry["decision_id"]:
            continue
        expected = "duplicate" if value == record.value() else "refused"
        if entry["outcome"] != expected:
            yield f"repetition: {entry['decision_id']} repeats {decision_id}: {entry['outcome']}, not {expected}"
