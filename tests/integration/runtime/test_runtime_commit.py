"""What one cycle makes visible, and what it never does."""

import json
import time

import pytest
from confluent_kafka import Message
from runtime_auditor import audit
from runtime_pipeline import Pipeline, commands, wait_until

DEAD_LETTERS = "runtime.dead-letter.v1"

pytestmark = pytest.mark.timeout(120)


def letters_of(pipeline: Pipeline) -> list[tuple[Message, dict[str, str]]]:
    letters = []
    for record in pipeline.read(DEAD_LETTERS):
        headers = {name: value.decode() for name, value in record.headers()}
        if headers["dl-topic"] == f"{pipeline.run}-in":
            letters.append((record, headers))
    return letters


@pytest.mark.requirement("PIPE-02", "PIPE-03")
def test_outcomes_rows_projections_and_offsets_are_those_of_the_input(pipeline: Pipeline) -> None:
    pipeline.put(commands(3_000))
    worker = pipeline.start().wait_ready()
    pipeline.wait_outcomes(3_000)
    audit(pipeline)
    assert worker.terminate() == 0

    successor = pipeline.start().wait_ready()
    pipeline.put(commands(1_000, seed=2, first=3_000))
    pipeline.wait_outcomes(4_000)
    audit(pipeline)
    assert successor.metric("millrace_restored_records_total") > 0


@pytest.mark.requirement("PIPE-11")
def test_lag_is_zero_when_everything_is_done_though_the_topic_ends_with_a_transaction_marker(
    pipeline: Pipeline,
) -> None:
    pipeline.create_topics("first", "middle", "second", "last")
    worker = pipeline.start("chain").wait_ready()
    pipeline.put([(b"book", json.dumps({"account": "a", "amount": 1}).encode())], topic="first")
    wait_until(lambda: worker.metric("millrace_records_consumed_total") == 2, why="both agents of the chain")
    wait_until(lambda: worker.metric("millrace_lag_records") == 0, timeout_s=10)


@pytest.mark.requirement("PIPE-11")
def test_a_worker_tells_its_health_and_its_metrics(pipeline: Pipeline) -> None:
    pipeline.put(commands(100))
    worker = pipeline.start().wait_ready()
    pipeline.wait_outcomes(100)
    wait_until(lambda: worker.metric("millrace_table_rows") > 0, timeout_s=10)
    assert worker.page("/health")[0] == 200
    assert worker.metric("millrace_records_consumed_total") == 100
    assert worker.metric("millrace_outputs_total") >= 100
    assert worker.metric("millrace_assigned_partitions") == pipeline.partitions
    assert worker.metric("millrace_ready") == worker.metric("millrace_up") == 1
    assert worker.page("/table/")[0] == 404


@pytest.mark.requirement("PIPE-03")
def test_what_an_agent_failed_on_is_never_acknowledged(pipeline: Pipeline) -> None:
    pipeline.put(commands(500))
    for _ in range(2):
        failing = pipeline.start(worker="0", CRASH_AT="250", MILLRACE_BATCH_RECORDS="100")
        assert failing.end() == 70
        assert "a bug of the agent" in failing.said()
        assert 250 not in {outcome["id"] for outcome in pipeline.outcomes("read_uncommitted")}

    pipeline.start(worker="0").wait_ready()
    pipeline.wait_outcomes(500)
    audit(pipeline)


@pytest.mark.requirement("PIPE-04")
def test_an_undecodable_record_becomes_a_dead_letter_and_stops_nothing(pipeline: Pipeline) -> None:
    pipeline.put(commands(10))
    pipeline.put([(b"book-1", b"\xff not json")])
    pipeline.put(commands(10, first=10))
    worker = pipeline.start().wait_ready()
    pipeline.wait_outcomes(20)

    [(letter, headers)] = letters_of(pipeline)
    assert (letter.key(), letter.value()) == (b"book-1", b"\xff not json")
    assert headers["dl-reason"] == "undecodable"
    assert headers["dl-error"].startswith("JSONDecodeError")
    assert "ledger.py" in headers["dl-stack"]
    source = {
        (record.partition(), record.offset()) for record in pipeline.read_own("in") if record.value()[:1] == b"\xff"
    }
    assert (int(headers["dl-partition"]), int(headers["dl-offset"])) in source
    assert worker.metric("millrace_dead_letters_total") == 1
    audit(pipeline)


@pytest.mark.requirement("PIPE-04", "PIPE-03")
def test_a_dead_letter_is_part_of_the_transaction_of_its_record(pipeline: Pipeline) -> None:
    pipeline.put([(b"book-1", b"not json")])
    pipeline.put(commands(10))
    assert pipeline.start(worker="0", CRASH_AT="9").end() == 70
    assert letters_of(pipeline) == []
    pipeline.start(worker="0").wait_ready()
    pipeline.wait_outcomes(10)
    assert len(letters_of(pipeline)) == 1


@pytest.mark.requirement("PIPE-03")
@pytest.mark.parametrize("size", [2_000_000, 5_000_000])
def test_a_record_that_is_too_large_ends_the_worker_with_its_topic_key_and_size(pipeline: Pipeline, size: int) -> None:
    """2 MB is refused by the broker, 5 MB by our own producer."""
    boast = {"id": 1, "op": "boast", "account": "book-7|0", "amount": size, "lock": "none"}
    pipeline.put([(b"book-7", json.dumps(boast).encode())])
    worker = pipeline.start()
    assert worker.end() == 70
    assert f"cannot write to {pipeline.run}-out" in worker.said()
    assert f"key b'book-7', {size:,} bytes" in worker.said()
    assert pipeline.outcomes() == []


@pytest.mark.requirement("PIPE-03")
def test_two_agents_share_a_table_and_a_third_follows_them(pipeline: Pipeline) -> None:
    pipeline.create_topics("first", "middle", "second", "last")
    amounts = [{"account": f"a{n % 7}", "amount": n} for n in range(600)]
    records = [(each["account"].encode(), json.dumps(each).encode()) for each in amounts]
    pipeline.put(records[::2], topic="first")
    pipeline.put(records[1::2], topic="second")
    for _ in range(2):
        pipeline.start("chain").wait_ready()
    wait_until(lambda: len(pipeline.read_own("last")) >= 600, 60, why="all records at the end of the chain")

    sums = {f"a{n}": sum(each["amount"] for each in amounts if each["account"] == f"a{n}") for n in range(7)}
    counts = {f"a{n}": sum(each["account"] == f"a{n}" for each in amounts) for n in range(7)}
    assert {key: row["total"] for key, row in pipeline.table("sums").items()} == sums
    assert {key: row["total"] for key, row in pipeline.table("counts").items()} == counts
    assert len(pipeline.read_own("last")) == 600


@pytest.mark.requirement("PIPE-13")
def test_every_partition_gets_one_tick_per_interval(pipeline: Pipeline) -> None:
    pipeline.create_topics("ticks", "seen")
    worker = pipeline.start("ticking").wait_ready()
    wait_until(lambda: worker.metric("millrace_ticks_total") >= 5 * pipeline.partitions, timeout_s=15)
    wait_until(lambda: len({record.partition() for record in pipeline.read_own("seen")}) == pipeline.partitions)
    assert worker.terminate() == 0

    interval_us = 200_000
    ticks = pipeline.read_own("ticks")
    for partition in range(pipeline.partitions):
        moments = [int(tick.value()) for tick in ticks if tick.partition() == partition]
        assert all(moment % interval_us == 0 for moment in moments)
        assert moments == sorted(set(moments))
        assert len(moments) >= 5
        assert abs(moments[-1] / 1e6 - time.time()) < 10


@pytest.mark.requirement("PIPE-13")
def test_with_the_clock_outside_no_tick_is_written(pipeline: Pipeline) -> None:
    pipeline.create_topics("ticks", "seen")
    worker = pipeline.start("ticking", MILLRACE_CLOCK="outside").wait_ready()
    pipeline.put([(b"", b"1000000")], topic="ticks")
    wait_until(lambda: worker.metric("millrace_records_consumed_total") == 1, why="the tick from outside")
    assert worker.metric("millrace_ticks_total") == 0
    assert [record.value() for record in pipeline.read_own("seen")] == [b"1000000"]


@pytest.mark.requirement("PIPE-02")
def test_rows_and_outbox_are_only_for_an_agent_at_work(pipeline: Pipeline) -> None:
    worker = pipeline.start("trespasser")
    wait_until(lambda: worker.said().count("REFUSED") >= 2, why="both refusals")
    assert "a record for elsewhere may only be put while an agent works on an event" in worker.said()
    assert "table sums may only be used while an agent works on an event" in worker.said()
