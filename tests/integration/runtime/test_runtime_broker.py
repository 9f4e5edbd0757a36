"""A broker that is not there, goes away, or has other topics than it should."""

import threading
import time

import pytest
from confluent_kafka.admin import AdminClient
from runtime_auditor import audit
from runtime_pipeline import Pipeline, Worker, commands, wait_until

from stack.api import Server

pytestmark = pytest.mark.timeout(150)


@pytest.mark.requirement("PIPE-03")
def test_a_broker_that_is_down_at_start_is_named(pipeline: Pipeline) -> None:
    pipeline.kafka = "127.0.0.1:9"
    worker = pipeline.start(MILLRACE_BROKER_WAIT_S="2")
    assert worker.end() == 2
    assert "refused to start: no Kafka broker answers at 127.0.0.1:9" in worker.said()
    assert "Traceback" not in worker.said()


@pytest.mark.requirement("PIPE-02")
def test_a_missing_topic_is_named(pipeline: Pipeline) -> None:
    admin = AdminClient({"bootstrap.servers": pipeline.kafka})
    admin.delete_topics([f"{pipeline.run}-in"])[f"{pipeline.run}-in"].result(10)
    wait_until(lambda: f"{pipeline.run}-in" not in admin.list_topics(timeout=5).topics)
    worker = pipeline.start()
    assert worker.end() == 2
    assert f"topic {pipeline.run}-in does not exist" in worker.said()


@pytest.mark.requirement("PIPE-02")
def test_topics_and_tables_of_unequal_partition_counts_are_named(pipeline: Pipeline) -> None:
    worker = pipeline.start(PARTITIONS="3")
    assert worker.end() == 2
    assert "must have equal partition counts" in worker.said()
    assert f"{pipeline.run}-accounts-changelog 3" in worker.said()


@pytest.mark.requirement("PIPE-02")
def test_changelogs_are_made_compacted_with_the_partitions_of_their_table(pipeline: Pipeline) -> None:
    from confluent_kafka.admin import ConfigResource, ResourceType

    pipeline.start().wait_ready()
    name = f"{pipeline.run}-accounts-changelog"
    admin = AdminClient({"bootstrap.servers": pipeline.kafka})
    assert len(admin.list_topics(name, 10).topics[name].partitions) == pipeline.partitions
    [described] = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)]).values()
    config = described.result(10)
    assert config["cleanup.policy"].value == "compact"
    assert int(config["delete.retention.ms"].value) >= 7 * 24 * 3600 * 1000


@pytest.mark.requirement("PIPE-03")
def test_a_broker_killed_under_load_costs_nothing(breakable_pipeline: Pipeline, broker: Server) -> None:
    pipeline, count = breakable_pipeline, 9_000
    loader = threading.Thread(target=pipeline.put, args=(commands(count),), kwargs={"rate": 600.0})
    workers = [pipeline.start(), pipeline.start()]
    for worker in workers:
        worker.wait_ready()
    loader.start()
    pipeline.wait_outcomes(500)
    broker.kill()
    broker.start()
    loader.join()
    wait_until(lambda: _revived(pipeline, workers) and len(pipeline.outcomes()) >= count, 90, why="all outcomes")
    audit(pipeline)


def _revived(pipeline: Pipeline, workers: list[Worker]) -> bool:
    """Start again what ended because the broker was away for longer than a transaction may last, as k8s would."""
    for n, worker in enumerate(workers):
        if worker.process.poll() is not None:
            assert worker.end() in {70, 2}, worker.said()
            workers[n] = pipeline.start(worker=str(n))
    return True


@pytest.mark.requirement("PIPE-03")
def test_after_a_broken_connection_the_producer_is_replaced(breakable_pipeline: Pipeline, broker: Server) -> None:
    pipeline = breakable_pipeline
    worker = pipeline.start().wait_ready()
    pipeline.put(commands(100))
    pipeline.wait_outcomes(100)
    assert worker.metric("millrace_producer_replacements_total") == 0
    broker.kill()
    broker.start()
    wait_until(worker.ready, 60)
    pipeline.put(commands(100, seed=2, first=100))
    pipeline.wait_outcomes(200)
    assert worker.metric("millrace_producer_replacements_total") >= 1
    assert "is doubtful" in worker.said()
    audit(pipeline)


@pytest.mark.requirement("PIPE-11")
def test_a_frozen_broker_shows_as_a_worker_that_lags_not_as_one_that_is_dead(
    breakable_pipeline: Pipeline, broker: Server
) -> None:
    pipeline = breakable_pipeline
    worker = pipeline.start().wait_ready()
    broker.pause()
    time.sleep(1.0)
    assert worker.page("/health")[0] == 200
    broker.resume()
    pipeline.put(commands(100))
    pipeline.wait_outcomes(100)
    audit(pipeline)
