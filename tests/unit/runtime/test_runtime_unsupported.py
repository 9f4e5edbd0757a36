"""Features of Faust that would not be exactly once are refused by name, where they are declared or first used."""

import logging
from collections.abc import Callable
from typing import Any

import faust
import msgspec
import pytest

from streams.runtime import SEAMS, UnsupportedError
from streams.runtime.driver import check_supported

pytestmark = pytest.mark.requirement("PIPE-03")


class Row(msgspec.Struct, frozen=True):
    amount: int


def new_app(**options: Any) -> Any:
    return faust.App("unsupported", broker="kafka+txn://localhost:9", **{**SEAMS, **options})


async def work(stream: Any) -> None:
    """An agent."""


async def yielding(stream: Any) -> Any:
    yield 1


DECLARATIONS: dict[str, Callable[[Any], Any]] = {
    "windowed table": lambda app: app.Table("t", partitions=1, row=Row).hopping(10, 5),
    "windowed table t": lambda app: app.Table("t", partitions=1, row=Row, window=faust.TumblingWindow(10)),
    "table t without row=": lambda app: app.Table("t", partitions=1),
    "or with default=": lambda app: app.Table("t", partitions=1, row=Row, default=int),
    "SetTable": lambda app: app.SetTable("t", partitions=1),
    "GlobalTable": lambda app: app.GlobalTable("t", partitions=1),
    "table as a dictionary": lambda app: app.Table("t", partitions=1, row=Row)["key"],
    "joining a table": lambda app: app.Table("t", partitions=1, row=Row).join(),
    "agent work with concurrency": lambda app: app.agent(app.topic("in"), concurrency=2)(work),
    "agent many with concurrency": lambda app: app.agent(app.topic("in"), name="many", isolated_partitions=True)(work),
    "agent yielding that yields": lambda app: app.agent(app.topic("in"))(yielding),
    "that yields or has sinks": lambda app: app.agent(app.topic("in"), sink=[app.topic("out")])(work),
    "with a supervisor": lambda app: app.agent(app.topic("in"), supervisor_strategy=faust.Service)(work),
    "asking an agent": lambda app: app.agent(app.topic("in"))(work).ask(1),
    "sending to an agent": lambda app: app.agent(app.topic("in"))(work).send(value=1),
    "topic pattern": lambda app: app.topic(pattern="in-.*"),
    "Topic.send": lambda app: app.topic("out").send_soon(value=b"x"),
    "Stream.take": lambda app: app.stream(app.topic("in")).take(10, 1.0),
    "repartitioning": lambda app: app.stream(app.topic("in")).group_by(lambda each: each),
    "repartitioning a stream": lambda app: app.stream(app.topic("in")).through("other"),
    "joining streams": lambda app: app.stream(app.topic("in")).join(),
    "Stream processors": lambda app: app.stream(app.topic("in")).filter(bool),
    "anything but a topic": lambda app: aiter(app.stream(app.channel())),
    "table_route": lambda app: app.router,
    "on_leader": lambda app: app.is_leader(),
    "Faust's producer": lambda app: app.producer.send_soon(None),
}


@pytest.mark.parametrize("feature", DECLARATIONS)
def test_the_feature_is_refused_by_name(feature: str) -> None:
    with pytest.raises(UnsupportedError, match=feature.partition(" t ")[0]):
        DECLARATIONS[feature](new_app())


@pytest.mark.parametrize(
    ("options", "feature"),
    [
        ({"processing_guarantee": "exactly_once"}, "processing_guarantee"),
        ({"store": "rocksdb://"}, "store rocksdb:"),
        ({"topic_disable_leader": False}, "a leader"),
    ],
)
def test_a_setting_that_would_break_exactly_once_is_refused_at_start(options: dict[str, Any], feature: str) -> None:
    with pytest.raises(UnsupportedError, match=feature):
        check_supported(new_app(**options))


def test_the_plain_app_is_supported() -> None:
    check_supported(new_app())


def test_the_root_logger_never_builds_debug_records() -> None:
    root = logging.Logger("root")
    worker = new_app().Worker(loglevel="warn")
    worker.on_setup_root_logger(root, logging.WARNING)
    assert root.level == logging.WARNING
    worker.on_setup_root_logger(root, logging.DEBUG)
    assert root.level == logging.INFO
