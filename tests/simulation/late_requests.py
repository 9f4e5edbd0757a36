"""Requests of the transactional protocol sent by hand: what a slow network would let in late (KIP-890).

librdkafka never sends a request again when it has its answer, so these bytes are made here, by the protocol's guide.
"""

import re
import socket
import struct
from collections import defaultdict
from typing import Any

from confluent_kafka import TopicPartition

END_TXN, TXN_OFFSET_COMMIT = 26, 28
COMMIT = 1
TIMEOUT_S = 10.0


class Identity:
    """Listens to librdkafka's log for the producer id and epoch that the broker gave."""

    def __init__(self, transactional_id: str) -> None:
        self.transactional_id = transactional_id
        self.producer_id, self.epoch = -1, -1

    def log(self, level: int, form: str, *parts: Any) -> None:
        """Take a line of the log, as a `logging.Logger` does."""
        if found := re.search(r"PID\{Id:(\d+),Epoch:(\d+)\}", str(parts[-1])):
            self.producer_id, self.epoch = int(found[1]), int(found[2])


def end_transaction(servers: str, producer: Identity) -> int:
    """A commit request (EndTxn v0); the broker's error code."""
    body = _text(producer.transactional_id) + struct.pack(">qhb", producer.producer_id, producer.epoch, COMMIT)
    return int(struct.unpack_from(">h", _ask(servers, END_TXN, body), 4)[0])


def commit_offsets(servers: str, producer: Identity, group: str, offsets: list[TopicPartition]) -> None:
    """Offsets for a transaction (TxnOffsetCommit v0)."""
    topics = defaultdict(list)
    for tp in offsets:
        topics[tp.topic].append(struct.pack(">iq", tp.partition, tp.offset) + _text(""))
    body = _text(producer.transactional_id) + _text(group)
    body += struct.pack(">qh", producer.producer_id, producer.epoch)
    body += struct.pack(">i", len(topics))
    for topic, partitions in topics.items():
        body += _text(topic) + struct.pack(">i", len(partitions)) + b"".join(partitions)
    _ask(servers, TXN_OFFSET_COMMIT, body)


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def _ask(servers: str, api: int, body: bytes) -> bytes:
    """Send a request of version 0; the answer's body."""
    request = struct.pack(">hhi", api, 0, 1) + _text("late") + body
    host, _, port = servers.partition(":")
    with socket.create_connection((host, int(port)), TIMEOUT_S) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        stream = connection.makefile("rb")
        (length,) = struct.unpack(">i", stream.read(4))
        answer: bytes = stream.read(length)
    return answer[4:]
