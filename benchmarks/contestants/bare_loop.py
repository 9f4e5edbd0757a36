"""The work as a loop written by hand on confluent-kafka: the least a Python process must do to be exactly once.

One transaction per batch over commands, changelog and outcomes; dictionaries as state, restored from the changelog when
a partition is assigned. Faults beyond that (a doubtful commit, a fence, dead letters) are left out.
"""

import signal
from contextlib import suppress
from typing import Any

import orjson
from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks import rule
from benchmarks.task import Start, Task
from benchmarks.work import PARTITIONS

BATCH_RECORDS = 2_000
POLL_S = 0.02
LIMIT_S = 30.0
RESTORE_RECORDS, RESTORE_POLL_S = 10_000, 0.05

Owners = dict[bytes, rule.Owner]


class Loop:
    """Consumer, producer and state of one process."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._changelog = f"{task.run}-changelog"
        self._start = Start(task)
        self._state: dict[int, Owners] = {}
        self._client = {"bootstrap.servers": task.kafka}
        self._read_only = {"isolation.level": "read_committed", "enable.auto.commit": False}
        self._consumer = Consumer({**self._client, **self._read_only, "group.id": task.run,
                                   "auto.offset.reset": "earliest", "enable.auto.offset.store": False,
                                   "queued.min.messages": 100_000, "fetch.wait.max.ms": 100})  # fmt: skip
        self._producer = Producer({**self._client, "transactional.id": f"{task.run}-{task.process}", "linger.ms": 5,
                                   "batch.num.messages": 100_000, "batch.size": 1_000_000,
                                   "queue.buffering.max.messages": 1_000_000})  # fmt: skip
        self._stopped = False

    def run(self) -> None:
        """Work until SIGTERM."""
        signal.signal(signal.SIGTERM, self._stop)
        topic = NewTopic(self._changelog, PARTITIONS, 1, config={"cleanup.policy": "compact"})
        admin = AdminClient(self._client)
        with suppress(KafkaException):  # another process of this task was quicker
            admin.create_topics([topic])[self._changelog].result(LIMIT_S)
        self._producer.init_transactions(LIMIT_S)
        self._consumer.subscribe([self._task.commands], on_assign=self._on_assign, on_revoke=self._on_revoke)
        while not self._stopped:
            records = self._consumer.consume(BATCH_RECORDS, POLL_S)
            if records:
                self._start()
                self._process([record for record in records if record.error() is None])
        self._consumer.close()

    def _process(self, records: list[Message]) -> None:
        batches: dict[int, list[Message]] = {}
        for record in records:
            batches.setdefault(record.partition(), []).append(record)
        self._producer.begin_transaction()
        for partition, batch in batches.items():
            self._decide(partition, batch)
        self._producer.poll(0)
        offsets = [TopicPartition(self._task.commands, n, batch[-1].offset() + 1) for n, batch in batches.items()]
        self._producer.send_offsets_to_transaction(offsets, self._consumer.consumer_group_metadata(), LIMIT_S)
        self._producer.commit_transaction(LIMIT_S)

    def _decide(self, partition: int, batch: list[Message]) -> None:
        owners, produce = self._state[partition], self._producer.produce
        changed: Owners = {}
        for record in batch:
            key = record.key()
            command = orjson.loads(record.value())
            owner = owners.get(key)
            if owner is None:
                owner = owners[key] = rule.new_owner()
            result = rule.decide(owner, command)
            if result != "duplicate":
                changed[key] = owner
            produce(self._task.outcomes, orjson.dumps(rule.outcome(command, result, owner)), key, partition)
        for key, owner in changed.items():
            produce(self._changelog, orjson.dumps(owner), key, partition)

    def _on_assign(self, _: Any, partitions: list[TopicPartition]) -> None:
        for each in partitions:
            self._state[each.partition] = self._restored(each.partition)

    def _on_revoke(self, _: Any, partitions: list[TopicPartition]) -> None:
        for each in partitions:
            self._state.pop(each.partition, None)

    def _restored(self, partition: int) -> Owners:
        """The rows of a partition, up to its high watermark: markers of an earlier owner may still be on their way."""
        where = TopicPartition(self._changelog, partition, 0)
        probe = Consumer({**self._client, "group.id": f"{self._task.run}-probe", "isolation.level": "read_uncommitted"})
        end = probe.get_watermark_offsets(where, LIMIT_S)[1]
        probe.close()
        reader = Consumer({**self._client, **self._read_only, "group.id": f"{self._task.run}-restore",
                           "enable.partition.eof": True, "fetch.wait.max.ms": 10})  # fmt: skip
        reader.assign([where])
        owners: Owners = {}
        while True:
            for record in reader.consume(RESTORE_RECORDS, RESTORE_POLL_S):
                if record.error() is None:
                    owners[record.key()] = orjson.loads(record.value())
                elif record.offset() >= end:
                    reader.close()
                    return owners

    def _stop(self, *_: Any) -> None:
        self._stopped = True


def main() -> None:
    """Work until SIGTERM."""
    Loop(Task.from_environment()).run()


if __name__ == "__main__":
    main()
