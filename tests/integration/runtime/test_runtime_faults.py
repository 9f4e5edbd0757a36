"""Workers that are killed, frozen, stopped and pushed aside."""

import json
import signal
import threading

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from runtime_auditor import audit
from runtime_pipeline import Pipeline, commands, wait_until

pytestmark = [pytest.mark.requirement("PIPE-03"), pytest.mark.timeout(150)]

POINTS = ["before_offsets", "after_offsets", "after_commit"]


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_this_point_of_a_transaction_nothing_is_lost_or_doubled(pipeline: Pipeline, point: str) -> None:
    pipeline.put(commands(1_000))
    trapped = pipeline.start("trapped_ledger", worker="0", POINT=point, SIG="KILL", MILLRACE_BATCH_RECORDS="100")
    assert trapped.end() == -signal.SIGKILL
    assert "TRAPPED" in trapped.said()

    pipeline.start(worker="0").wait_ready()
    pipeline.wait_outcomes(1_000)
    audit(pipeline)


def test_a_zombie_that_lost_its_partitions_is_refused_by_the_broker(pipeline: Pipeline) -> None:
    """It is frozen with its outputs written and its offsets not, beyond its session, and then goes on."""
    pipeline.put(commands(600))
    zombie = pipeline.start("trapped_ledger", POINT="before_offsets", SIG="STOP", MILLRACE_BATCH_RECORDS="100")
    wait_until(zombie.stopped, why="the frozen worker")
    pipeline.start()
    pipeline.wait_outcomes(600)

    zombie.send(signal.SIGCONT)
    assert zombie.end() == 70
    assert "fatal: TransactionError" in zombie.said()
    pipeline.put(commands(100, seed=2, first=600))
    pipeline.wait_outcomes(700)
    audit(pipeline)


def test_a_successor_waits_for_an_undecided_transaction_before_it_restores(pipeline: Pipeline) -> None:
    """The frozen owner has sent its offsets: they may still be committed, so nobody may go on from the ones before."""
    pipeline.put(commands(600))
    frozen = pipeline.start("trapped_ledger", POINT="after_offsets", SIG="STOP", MILLRACE_BATCH_RECORDS="100",
                            MILLRACE_TRANSACTION_TIMEOUT_S="60")  # fmt: skip
    wait_until(frozen.stopped, why="the frozen worker")
    successor = pipeline.start()
    wait_until(lambda: "restore: not yet" in successor.said(), 60, why="a successor that must wait")
    assert not successor.ready()
    frozen.send(signal.SIGCONT)
    pipeline.wait_outcomes(600)
    pipeline.put(commands(100, seed=2, first=600))
    pipeline.wait_outcomes(700)
    audit(pipeline)


def test_a_worker_told_to_stop_commits_what_it_finished_and_leaves_the_group(pipeline: Pipeline) -> None:
    loader = threading.Thread(target=pipeline.put, args=(commands(4_000),), kwargs={"rate": 1_500.0})
    first, second = pipeline.start(), pipeline.start()
    first.wait_ready()
    second.wait_ready()
    loader.start()
    pipeline.wait_outcomes(300)
    assert first.terminate() == 0
    wait_until(
        lambda: len(second.partitions()) == pipeline.partitions, 4.0, why="the partitions, before a session ends"
    )
    loader.join()
    pipeline.wait_outcomes(4_000)
    assert second.terminate() == 0
    audit(pipeline)


def test_partitions_may_move_in_the_middle_of_a_cycle(pipeline: Pipeline) -> None:
    """The second worker joins while the first one's agent works; the batch is finished, committed, then handed over."""
    nap = {"id": 0, "op": "nap", "account": "book-1|0", "amount": 3_000, "lock": "none"}
    first = pipeline.start().wait_ready()
    pipeline.put([(b"book-1", json.dumps(nap).encode())])
    pipeline.put(commands(500, first=1))
    second = pipeline.start()
    second.wait_ready()
    wait_until(lambda: first.partitions() and second.partitions(), why="a share for both")
    pipeline.put(commands(500, seed=2, first=501))
    pipeline.wait_outcomes(1_001)
    audit(pipeline)


def test_more_workers_than_partitions_stand_by(pipeline: Pipeline) -> None:
    workers = [pipeline.start() for _ in range(pipeline.partitions + 1)]
    for worker in workers:
        worker.wait_ready()
    wait_until(
        lambda: sorted(len(worker.partitions()) for worker in workers) == [0, 1, 1, 1, 1], why="one each, one none"
    )
    pipeline.put(commands(400))
    pipeline.wait_outcomes(400)
    workers.sort(key=lambda worker: len(worker.partitions()))
    assert workers[0].terminate() == 0
    assert workers[1].terminate() == 0
    pipeline.put(commands(400, seed=2, first=400))
    pipeline.wait_outcomes(800)
    audit(pipeline)


def test_kills_freezes_and_stops_under_load_leave_no_trace(pipeline: Pipeline) -> None:
    count = 12_000
    loader = threading.Thread(target=pipeline.put, args=(commands(count),), kwargs={"rate": 800.0})
    workers = [pipeline.start(worker=str(slot)) for slot in range(3)]
    for worker in workers:
        worker.wait_ready()
    loader.start()
    for slot, blow in enumerate([signal.SIGKILL, signal.SIGTERM]):
        pipeline.wait_outcomes(300 * (slot + 1))
        workers[slot].send(blow)
        workers[slot].end()
        workers[slot] = pipeline.start(worker=str(slot))
    frozen = workers[2]
    frozen.send(signal.SIGSTOP)
    wait_until(lambda: sum(len(each.partitions()) for each in workers[:2]) == pipeline.partitions, why="a takeover")
    frozen.send(signal.SIGCONT)
    loader.join()
    pipeline.wait_outcomes(count)
    audit(pipeline)


def test_two_workers_of_one_name_cannot_both_write(pipeline: Pipeline) -> None:
    first = pipeline.start(worker="same").wait_ready()
    pipeline.start(worker="same").wait_ready()
    pipeline.put(commands(200))
    assert first.end() == 70
    assert "does another worker run with the same MILLRACE_WORKER?" in first.said()
    pipeline.wait_outcomes(200)
    audit(pipeline)


def test_records_that_retention_removed_unread_end_the_worker(pipeline: Pipeline) -> None:
    pipeline.put(commands(200))
    worker = pipeline.start(worker="0").wait_ready()
    pipeline.wait_outcomes(200)
    assert worker.terminate() == 0
    pipeline.put(commands(400, seed=2, first=200))
    admin = AdminClient({"bootstrap.servers": pipeline.kafka})
    ends = [TopicPartition(f"{pipeline.run}-in", number, -1) for number in range(pipeline.partitions)]
    for deleted in admin.delete_records(ends).values():
        deleted.result(10)
    late = pipeline.start(worker="0")
    assert late.end() == 70
    assert "retention removed records that were never worked on" in late.said()


def test_an_agent_that_never_finishes_ends_the_worker(pipeline: Pipeline) -> None:
    nap = {"id": 0, "op": "nap", "account": "book-1|0", "amount": 600_000, "lock": "none"}
    pipeline.put([(b"book-1", json.dumps(nap).encode())])
    worker = pipeline.start(MILLRACE_PROCESS_TIMEOUT_S="2")
    assert worker.end() == 70
    assert f"agents of {pipeline.run}-in did not finish their batches in 2 s" in worker.said()
