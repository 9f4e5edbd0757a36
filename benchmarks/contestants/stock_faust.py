"""The work on faust-streaming as it comes, with aiokafka: state in memory and a changelog, at least once."""

# mypy: allow-untyped-decorators

from typing import Any

import faust

from benchmarks import rule
from benchmarks.task import Start, Task
from benchmarks.work import PARTITIONS


def create_app(task: Task) -> faust.App:
    """The app of a task."""
    app = faust.App(
        task.run, broker=f"kafka://{task.kafka}", store="memory://", topic_partitions=PARTITIONS, web_enabled=False,
        consumer_auto_offset_reset="earliest", topic_disable_leader=True, datadir=task.folder,
        value_serializer="json", key_serializer="raw",
    )  # fmt: skip
    commands = app.topic(task.commands, key_type=bytes, value_type=None, partitions=PARTITIONS)
    outcomes = app.topic(task.outcomes, key_type=bytes, partitions=PARTITIONS)
    owners = app.Table("owners", partitions=PARTITIONS, key_type=str)
    start = Start(task)

    @app.agent(commands)
    async def ledger(stream: Any) -> None:
        async for command in stream:
            start()
            key = command["owner"]
            owner = owners.get(key)
            if owner is None:
                owner = rule.new_owner()
            result = rule.decide(owner, command)
            if result != "duplicate":
                owners[key] = owner
            await outcomes.send(key=key.encode(), value=rule.outcome(command, result, owner))

    return app


def main() -> None:
    """Work until SIGTERM."""
    app = create_app(Task.from_environment())
    app.finalize()
    app.Worker(loglevel="warn").execute_from_commandline()


if __name__ == "__main__":
    main()
